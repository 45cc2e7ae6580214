/**
 * Packets while policies alternate: what both allow is never lost, what both deny never passes.
 *
 * The two worlds are chosen so that a mix of them lets something through: machine b moves between two groups while the
 * rule for port 6000 moves the other way. Every packet of a stream is the first of a new flow, so that connection
 * tracking hides nothing. The same test with the phases of the apply script in the wrong order shows that it can fail.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { labMissing } from '../../lab/lab-missing.ts'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { Rule, World } from '../../lab/world.ts'

const CHANGES = 100
const RATE = 1000
const a = 'i-0a0a0a0a'
const b = 'i-0b0b0b0b'
const c = 'i-0c0c0c0c'

const OPEN: readonly Rule[] = ['udp 5000 from anywhere', 'udp 53 from sg-00000003']

const WORLDS: readonly World[] = [
  worldWith({ group: 'sg-00000001', first: 'udp 7000 from anywhere', second: 'udp 6000 from anywhere', elastic: true }),
  worldWith({
    group: 'sg-00000002',
    first: 'udp 6000 from anywhere',
    second: 'udp 7000 from anywhere',
    elastic: false,
  }),
]

/** Both groups have a member on nc-01 all the time, so that its rules and sets are there for a mix. */
function worldWith({
  group,
  first,
  second,
  elastic,
}: {
  readonly group: string
  readonly first: Rule
  readonly second: Rule
  /** Whether a neighbour has an elastic address, which comes and goes in the same changes. */
  readonly elastic: boolean
}): World {
  return {
    instances: {
      [a]: { node: 'nc-01', groups: ['sg-00000003'], public: true },
      [b]: { node: 'nc-01', groups: [group], public: true },
      [c]: { node: 'nc-02', groups: ['sg-00000003'] },
      'i-0d0d0d0d': { node: 'nc-01', groups: ['sg-00000001'], ...(elastic ? { public: true } : {}) },
      'i-0e0e0e0e': { node: 'nc-01', groups: ['sg-00000002'] },
    },
    groups: { 'sg-00000001': [...OPEN, first], 'sg-00000002': [...OPEN, second], 'sg-00000003': [] },
  }
}

interface Counts {
  readonly allowedSameNode: Counted
  readonly allowedOtherNode: Counted
  readonly allowedElastic: Counted
  readonly denied: Counted
}

interface Counted {
  readonly sent: number
  readonly received: number
}

const missing = labMissing()
if (missing.length > 0) console.error(`SKIPPED: no packets under load without ${missing.join(', ')}`)

describe.skipIf(missing.length > 0)('a node under load', () => {
  let lab: Lab
  const digests: string[] = []

  beforeAll(async () => {
    lab = await startLab({ nodes: 2 })
    for (const world of WORLDS) {
      await lab.publish(world)
      const pushed = await lab.edgepush(['push', 'push.yml'])
      expect(pushed.code, pushed.stderr).toBe(0)
      digests.push(await lab.node('nc-01').run('basename $(readlink /var/lib/edgepush/current)'))
    }
    await Promise.all([a, b, c].map((id) => lab.boot(id)))
    await lab
      .node('nc-01')
      .run('ipset create theirs+1 hash:ip; ipset create theirs+2 hash:ip; ipset add theirs+1 192.0.2.1')
  })
  afterAll(() => lab.stop())

  it('loses nothing that both policies allow, passes nothing that both deny', { timeout: 300_000 }, async () => {
    const counted = await underLoad('apply.sh')
    expect(counted.allowedSameNode).toEqual(all(counted.allowedSameNode))
    expect(counted.allowedOtherNode).toEqual(all(counted.allowedOtherNode))
    expect(counted.allowedElastic).toEqual(all(counted.allowedElastic))
    expect(counted.denied.sent).toBeGreaterThan(RATE)
    expect(counted.denied.received).toBe(0)
    // Sets that are only called like our copies are somebody else's.
    expect(await lab.node('nc-01').run('ipset list -n | grep theirs; ipset test theirs+1 192.0.2.1 2>&1')).toContain(
      'is in',
    )
    expect(await lab.node('nc-01').run('ipset list -n')).toContain('theirs+2')
    expect(await lab.node('nc-01').run('ipset list -n')).not.toMatch(/^(EUCA|sg).*[+]/m)
  })

  it('would notice an order that lets a mix of both through', { timeout: 300_000 }, async () => {
    for (const digest of digests) await writeWrong(`/var/lib/edgepush/gen/${digest.trim()}`)
    expect((await underLoad('wrong.sh')).denied.received).toBeGreaterThan(0)
  })

  /** Sets first, then rules: what most tools of this kind do. */
  async function writeWrong(folder: string): Promise<void> {
    const right = await lab.node('nc-01').run(`cat ${folder}/apply.sh`)
    const wrong = right.replace('|| ipset_copy', '|| ipset restore -exist < "$work/ipset.later"')
    expect(wrong).not.toBe(right)
    await lab.node('nc-01').run(`cat > ${folder}/wrong.sh`, { stdin: wrong })
  }

  let epoch = 1000

  /** Streams between pairs while nc-01 goes back and forth between the two bundles. */
  async function underLoad(script: string): Promise<Counts> {
    const target = lab.instance(b)
    const streams = {
      allowedSameNode: await stream(a, target.address, 5000),
      allowedOtherNode: await stream(c, target.address, 5000),
      allowedElastic: await stream('outside', target.publicAddress ?? '', 5000),
      denied: await stream(c, target.address, 6000),
    }
    for (let change = 0; change < CHANGES; change += 1) {
      const call = `sh /var/lib/edgepush/gen/${digests[change % digests.length]?.trim()}/${script}`
      epoch += 1
      await lab.node('nc-01').run(`echo go | ${call} commit run-${epoch} ${epoch} 60 && ${call} confirm run-${epoch}`)
    }
    const counted = await Promise.all(Object.entries(streams).map(async ([name, end]) => [name, await end()] as const))
    return Object.fromEntries(counted) as unknown as Counts
  }

  async function stream(from: string, to: string, port: number): Promise<() => Promise<Counted>> {
    const name = `${from} ${to} ${port} ${streams++}`
    const sender = lab.machines.get(from) ?? lab.outside
    const sink = await sinkOf(port)
    const flood = await sender.flood(name, to, port, RATE)
    return async () => {
      const sent = await flood.halt()
      return { sent, received: await settled(() => sink.received(name), sent) }
    }
  }

  const sinks = new Map<number, Promise<{ received: (stream: string) => Promise<number> }>>()
  let streams = 0

  function sinkOf(port: number): Promise<{ received: (stream: string) => Promise<number> }> {
    const machine = lab.machines.get(b)
    if (!machine) throw new Error(`${b} is not running`)
    const sink = sinks.get(port) ?? machine.sink(port)
    sinks.set(port, sink)
    return sink
  }
})

/** The count when all have come, or when no more come. */
async function settled(count: () => Promise<number>, expected: number): Promise<number> {
  let last = -1
  await expect
    .poll(async () => {
      const before = last
      last = await count()
      return last === expected || last === before
    })
    .toBe(true)
  return last
}

function all({ sent }: Counted): Counted {
  return { sent, received: sent }
}
