// One node for each thing that somebody may do to it by hand, and what edgepush drift says of it.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { type Dump, dump, dumpAll, traceOf } from './dump.ts'
import { harms } from './harms.ts'
import { mustPush, push } from './push.ts'
import { describeLab } from './with-lab.ts'

const nameOf = (index: number) => `nc-${String(index + 1).padStart(2, '0')}`
const idOf = (index: number) => `i-000000${index + 10}`
/** Nodes of the lab to whom other things happen. */
const rebooted = nameOf(harms.length)
const waiting = nameOf(harms.length + 1)
const absent = nameOf(harms.length + 2)
const bare = nameOf(harms.length + 3)

const world: World = {
  instances: Object.fromEntries(
    [...harms, rebooted, waiting, absent].map((_, index) => [
      idOf(index),
      { node: nameOf(index), groups: ['sg-aaaaaaaa'], public: true },
    ]),
  ),
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere', 'icmp from anywhere'] },
}

describeLab('edgepush drift', () => {
  let lab: Lab
  let before: Readonly<Record<string, Dump>>

  beforeAll(async () => {
    lab = await startLab({ nodes: harms.length + 4, world })
    await mustPush(lab, ['-l', `all:!${bare}`])
    before = await dumpAll(lab)
  })
  afterAll(() => lab?.stop())

  const drift = (...args: string[]) => lab.edgepush(['drift', 'push.yml', ...args])

  it('finds nothing after a push, changes nothing, and says of a node without a bundle that it has none', async () => {
    const traces = () => Promise.all(lab.nodes.map(traceOf))
    const untouched = await traces()
    const { code, stdout } = await drift('--detailed-exitcode')
    expect(code).toBe(0)
    expect(stdout.match(/^nc-\d+ +[0-9a-f]{12} +as it should be$/gm)).toHaveLength(lab.nodes.length - 1)
    expect(stdout).toMatch(new RegExp(`^${bare} +- +holds nothing of ours$`, 'm'))
    expect((await drift('--quiet')).stdout).toBe('')
    expect(await traces()).toEqual(untouched)
  })

  describeLab('after something was done by hand', () => {
    let said: string
    let events: readonly Event[]

    beforeAll(async () => {
      await Promise.all(harms.map(([, harm], index) => lab.node(nameOf(index)).run(harm(lab.instance(idOf(index))))))
      const held = `all:!${rebooted}:!${waiting}:!${absent}:!${bare}`
      const { code, stdout } = await drift('-l', held, '--detailed-exitcode')
      expect(code).toBe(2)
      said = stdout
      const json = await drift('-l', held, '--json')
      expect(json.code).toBe(0)
      events = json.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Event)
    })

    it.each(harms.map(([what, , told], index) => ({ what, told, index })))('tells it when $what', ({ told, index }) => {
      const expected = told(lab.instance(idOf(index)))
      const differing = Object.keys(expected)
      const [row] = said.match(new RegExp(`^${nameOf(index)} .*$`, 'm')) ?? []
      if (differing.length === 0) expect(row).toMatch(/ as it should be$/)
      else expect(row).toMatch(new RegExp(`^nc-\\d+ +[0-9a-f]{12} +differs: ${differing.join(', ')}$`))
      expect(underArtifacts(said, nameOf(index))).toEqual(expected)
    })

    it('tells the same to programs', () => {
      expect(events[0]).toMatchObject({ type: 'edgepush', format: 1, command: 'drift' })
      expect(events.slice(1).map(({ node }) => node)).toEqual(harms.map((_, index) => nameOf(index)))
      expect(events[1]).toEqual({
        type: 'drift',
        node: 'nc-01',
        state: 'drifted',
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        deviations: [{ artifact: 'iptables', what: 'extra', line: '-A sg-aaaaaaaa -s 192.0.2.99/32 -j ACCEPT' }],
      })
      expect(events.at(-1)).toMatchObject({ type: 'drift', state: 'held', deviations: [] })
    })
  })

  it('finds everything missing on a node that was started anew, and the next push brings it back', async () => {
    await lab.node(rebooted).reboot()
    const { code, stdout } = await drift('--node', rebooted, '--detailed-exitcode')
    expect(code).toBe(2)
    const { address, publicAddress } = lab.instance(idOf(harms.length))
    expect(underArtifacts(stdout, rebooted)).toMatchObject({
      ipset: expect.arrayContaining([`+ add EUCA_NCPRIVATE ${address}`]),
      iptables: expect.arrayContaining(['+ -A FORWARD -j EUCA_FILTER_FWD']),
      addresses: [`+ address ${publicAddress}/32 dev br0`],
      ebtables: expect.arrayContaining(['+ -A EUCA_EBT_NAT_PRE -i vn_i+ -j DROP']),
      dhcpd: expect.arrayContaining(['+ a daemon answers on br0']),
      placeholder: ['+ it runs, and eucanetd.pid names it'],
    })
    expect(stdout).not.toMatch(/^ {4}- /m)

    expect((await push(lab, ['--node', rebooted])).outcomes[rebooted]).toMatchObject({
      status: 'converged',
      reason: 'repaired: ipset, iptables, addresses, ebtables, dhcpd, placeholder',
    })
    expect(await dump(lab.node(rebooted))).toEqual(before[rebooted])
    expect(await drift('--node', rebooted, '--detailed-exitcode')).toMatchObject({ code: 0 })
  })

  it('does not take what waits for its confirmation for drift', async () => {
    await lab.publish({ ...world, groups: { 'sg-aaaaaaaa': ['tcp 80 from anywhere'] } })
    const { outcomes } = await push(lab, ['--node', waiting, '--confirm-window', '10m'])
    const run = outcomes[waiting]?.next?.split(' ').at(-1)
    const { code, stdout } = await drift('--node', waiting, '--detailed-exitcode')
    expect(stdout).toMatch(new RegExp(`^${waiting} +- +not compared: waits \\d+ s for edgepush confirm ${run}\n$`))
    expect(code).toBe(0)
    expect((await drift('--node', waiting, '--json')).stdout).toContain(`"state":"awaiting","run":"${run}"`)
  })

  it('says of a node that it cannot ask why, and that is worse than drift', async () => {
    await lab.node(absent).cut()
    const { code, stdout } = await drift('-l', `nc-01:${absent}`, '--detailed-exitcode')
    expect(code).toBe(6)
    expect(stdout).toMatch(/^nc-01 +[0-9a-f]{12} +differs: iptables$/m)
    expect(stdout).toMatch(new RegExp(`^${absent} +- +no answer$`, 'm'))
    expect(stdout).toMatch(new RegExp(`^${absent}: .*10\\.11[12]\\.`, 'm'))
  })

  it('does not take for missing what it cannot read', async () => {
    const node = lab.node('nc-02')
    await node.run(`mkdir /tmp/tools && printf '#!/bin/sh\nexit 1\n' > /tmp/tools/ipset && chmod +x /tmp/tools/ipset
      mount --bind /tmp/tools/ipset "$(command -v ipset)"`)
    const { code, stdout } = await drift('--node', 'nc-02', '--detailed-exitcode')
    expect(code).toBe(3)
    expect(stdout).toContain('nc-02: ipset cannot be read\n')
    await node.run('umount "$(command -v ipset)"')
  })
})

interface Event {
  readonly type: string
  readonly node?: string
}

/** Of one node, artifact to its lines. */
function underArtifacts(said: string, node: string): Readonly<Record<string, readonly string[]>> {
  const [, block = ''] = new RegExp(`^${node}: what is there .*\\n((?: .*\\n)*)`, 'm').exec(said) ?? []
  const parts = block.split(/^ {2}(?=\S)/m).filter((part) => part !== '')
  return Object.fromEntries(
    parts.map((part) => {
      const [name = '', ...lines] = part.trimEnd().split('\n')
      return [name, lines.map((line) => line.slice(4))]
    }),
  )
}
