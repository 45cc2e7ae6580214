/** One node, pushed to in namespaces of this machine, over a connection that breaks where a test wants it to. */

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Bundle } from '../../src/bundle/bundle.ts'
import { EXIT, Refusal, Unfit } from '../../src/error.ts'
import { type Connection, ConnectionLost, NotTrusted, type Talk, Unreachable } from '../../src/node/transport.ts'
import type { Going } from '../../src/run/barrier.ts'
import { nodeCheck, probeCheck } from '../../src/run/check.ts'
import type { RunPhase } from '../../src/run/outcome.ts'
import { type Goal, pushing } from '../../src/run/push.ts'
import { runNode } from '../../src/run/run-node.ts'
import { SAFETY } from '../../src/run/transaction.ts'
import { makeSandbox, type Sandbox, sandboxMissing } from '../node/sandbox.ts'
import { meansOf, RUN, targetOf } from './tasks.ts'

const missing = sandboxMissing()
if (missing !== '') console.error(`SKIPPED: no node to push to without ${missing}`)

/** An apply script that keeps its word and nothing else. */
const APPLY = `state=/var/lib/edgepush here=$(cd "$(dirname "$0")" && pwd)
case $1 in
  check) echo note checked ;;
  commit) echo ready; read -r word && [ "$word" = go ] || exit 20
    echo activated; touch "$state/committed"; echo "note committed by $2 in epoch $3" ;;
  abort) rm -f "$state/committed"; exit 21 ;;
  confirm) ln -sfn "gen/$(basename "$here")" "$state/current" ;;
  held) [ -e "$state/committed" ] && echo held yes || { echo held no; echo differs ipset; } ;;
esac`

const PROBE = `[ ! -e /var/lib/edgepush/current ] || {
  echo "current $(basename "$(readlink /var/lib/edgepush/current)")"
  sh /var/lib/edgepush/current/apply.sh held
}`

describe.skipIf(missing !== '')('a push to one node', () => {
  let node: Sandbox

  beforeEach(() => {
    node = makeSandbox()
  })

  afterEach(() => node.remove())

  async function push(
    script: string,
    how: {
      readonly task?: Partial<Goal>
      readonly connect?: () => Connection
      readonly mayBegin?: () => Promise<Going>
    } = {},
  ) {
    const phases: RunPhase[] = []
    const { connect = () => node.connect() } = how
    const goal: Goal = {
      bundleFor: () => bundleOf(script),
      version: undefined,
      templates: { 'node/probe.sh': PROBE },
      safety: { ...SAFETY, window: 1_000, reconnect: 1 },
    }
    const task = { name: 'nc-01', target: targetOf('nc-01'), serve: pushing({ ...goal, ...how.task }) }
    const means = meansOf({ connect: async () => connect() })
    const { mayBegin = async () => ({ may: true }) as const } = how
    const outcome = await runNode(task, means, { onPhase: (phase) => phases.push(phase), mayBegin })
    return { outcome, phases }
  }

  it('brings it to the bundle, then leaves it alone, then repairs it', async () => {
    const { digest } = bundleOf(APPLY)
    const first = await push(APPLY)
    expect(first.outcome).toMatchObject({
      node: 'nc-01',
      status: 'converged',
      phase: 'confirm',
      reason: 'first push',
      digest,
    })
    expect(first.outcome.notes).toEqual(['checked', `committed by ${RUN} in epoch 1`])
    expect(first.phases).toEqual(['connect', 'probe', 'render', 'stage', 'ready', 'commit', 'verify', 'confirm'])

    const second = await push(APPLY)
    expect(second.outcome).toMatchObject({ status: 'unchanged', digest, notes: [] })
    expect(second.phases).toEqual(['connect', 'probe', 'render'])

    rmSync(join(node.state, 'committed'))
    expect((await push(APPLY)).outcome).toMatchObject({ status: 'converged', reason: 'repaired: ipset' })
    expect((await push(`${APPLY} # new`)).outcome).toMatchObject({ status: 'converged', reason: 'changed' })
  })

  it('leaves nothing open about a node that holds its bundle when only the version of the view could not be noted', async () => {
    await push(APPLY)
    const connect = () => {
      const connection = node.connect()
      return {
        ...connection,
        async run(command: string, input: string, timeout: number, talk?: Talk) {
          if (input.includes('apply.sh serves 0a1b2c3d')) throw new ConnectionLost('it was lost while a command ran')
          return await connection.run(command, input, timeout, talk)
        },
      }
    }
    const { outcome } = await push(APPLY, { task: { version: '0a1b2c3d' }, connect })
    expect(outcome).toMatchObject({ status: 'unreachable' })
  })

  it.each([
    ['check', 20, 'refused', 'stage'],
    // A script that died is told to go back, and says what came of that.
    ['check', 1, 'rolled-back', 'stage'],
    ['check', 23, 'refused', 'stage'],
    ['commit', 20, 'refused', 'stage'],
    ['commit', 1, 'rolled-back', 'stage'],
    ['commit', 23, 'refused', 'stage'],
    ['confirm', 21, 'rolled-back', 'confirm'],
    ['confirm', 22, 'unknown', 'confirm'],
  ])('when %s ends with %i: %s at %s', async (verb, status, expected, phase) => {
    const { outcome } = await push(`[ "$1" != ${verb} ] || { echo note so; echo error why; exit ${status}; }\n${APPLY}`)
    expect(outcome).toMatchObject({ status: expected, phase, reason: expect.stringContaining('why') })
    expect(outcome.notes).toContain('so')
  })

  it.each([
    [21, 'rolled-back'],
    [22, 'unknown'],
  ])('when a commit that has begun ends with %i: %s', async (status, expected) => {
    const script = `case $1 in commit) echo ready; read -r _; echo error why; exit ${status} ;; esac\n${APPLY}`
    expect((await push(script)).outcome).toMatchObject({ status: expected, phase: 'commit', reason: 'why' })
  })

  it('that may not begin is not changed, and told why', async () => {
    const mayBegin = async () => ({ may: false, why: 'too many failed' }) as const
    const { outcome, phases } = await push(APPLY, { mayBegin })
    expect(outcome).toMatchObject({ status: 'not-attempted', phase: 'ready', reason: 'too many failed' })
    expect(phases.at(-1)).toBe('ready')
    expect(existsSync(join(node.state, 'committed'))).toBe(false)
  })

  it('that waits for the others as long as it takes says when its rules began to decide', async () => {
    const mayBegin = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      return { may: true } as const
    }
    const { outcome } = await push(APPLY, { mayBegin })
    expect(outcome.activated?.heard).toBeGreaterThan(50)
  })

  /** The connection is lost with the answer to what has these words in it; after `dials` no other is to be had. */
  function losing(words: string, dials = 9) {
    let dialled = 0
    return () => {
      dialled += 1
      if (dialled > dials) throw new Unreachable('nothing listens there')
      const connection = node.connect()
      let lost = false
      return {
        ...connection,
        async run(command: string, input: string, timeout: number, talk?: Talk) {
          if (lost) throw new Unreachable('it was lost between two commands')
          const reply = await connection.run(command, input, timeout, talk)
          lost = input.includes(words)
          if (lost) throw new ConnectionLost('it was lost while a command ran')
          return reply
        },
      }
    }
  }

  it.each([
    ['probe', PROBE, 'unreachable'],
    ['stage', 'incoming', 'unreachable'],
  ])('when the connection is lost during %s, nothing was changed', async (phase, words, status) => {
    const script = `[ "$1" != commit ] || exit 20\n${APPLY}`
    const { outcome } = await push(script, { connect: losing(words) })
    expect(outcome).toMatchObject({ status, phase, reason: 'it was lost while a command ran' })
  })

  it('when the connection is lost during commit, asks the node what became of it over another one', async () => {
    expect((await push(APPLY, { connect: losing('apply.sh commit') })).outcome).toMatchObject({ status: 'converged' })
  })

  it('when the script dies in a commit, asks what became of it', async () => {
    const script = `case $1 in commit) echo ready; read -r _; kill -9 $$ ;; confirm) echo error why; exit 21 ;; esac\n${APPLY}`
    const { outcome } = await push(script)
    expect(outcome).toMatchObject({ status: 'rolled-back', phase: 'confirm', reason: 'why' })
  })

  it('when the connection is lost during commit and there is no other, leaves the rest to the node', async () => {
    const { outcome } = await push(APPLY, { connect: losing('apply.sh commit', 1) })
    expect(outcome).toMatchObject({
      status: 'reverting',
      phase: 'verify',
      reason: expect.stringMatching(
        /^no new connection: nothing listens there; .*; it goes back by itself within 1 s$/,
      ),
    })
  })

  it('takes back over the old connection what it cannot confirm over a new one', async () => {
    const { outcome } = await push(APPLY, { connect: losing('never said', 1) })
    expect(outcome).toMatchObject({
      status: 'rolled-back',
      phase: 'verify',
      reason: 'no new connection: nothing listens there',
    })
  })

  it('when the login is refused after the commit, does not say that nothing was changed', async () => {
    const connect = () => {
      const connection = node.connect()
      return {
        ...connection,
        async run(command: string, input: string, timeout: number, talk?: Talk) {
          if (input.includes('apply.sh confirm')) throw new NotTrusted('sudo refuses', 'ask whoever did that')
          return await connection.run(command, input, timeout, talk)
        },
      }
    }
    expect((await push(APPLY, { connect })).outcome).toMatchObject({ status: 'unknown', phase: 'confirm' })
  })

  it('when the answer to the confirmation stays lost, knows only that the node is in one of two states', async () => {
    const { outcome } = await push(APPLY, { connect: losing('apply.sh confirm') })
    expect(outcome).toMatchObject({
      status: 'unknown',
      phase: 'confirm',
      reason: expect.stringMatching(/; it is confirmed, or it goes back by itself within 1 s$/),
    })
  })

  it.each([
    [20, 'rolled-back', 'metadata: why'],
    [21, 'rolled-back', 'why'],
    [22, 'unknown', 'why'],
  ])('when a check ends with %i: %s', async (status, expected, reason) => {
    const script = `[ "$1 $3 $4" != 'verify metadata 5' ] || { echo error why; exit ${status}; }\n${APPLY}`
    const safety = { ...SAFETY, checks: [nodeCheck('metadata', 5_000)] }
    const { outcome } = await push(script, { task: { safety } })
    expect(outcome).toMatchObject({ status: expected, phase: 'verify', reason })
  })

  // Silence takes a filter in between: test/lab/verify.test.ts.
  it.each([
    ['listening', 'pass', { status: 'converged' }],
    ['listening', 'drop', { status: 'rolled-back', reason: expect.stringMatching(/: it was accepted, .* drop$/) }],
    ['closed', 'pass', { status: 'converged' }],
    ['closed', 'drop', { status: 'rolled-back', reason: expect.stringMatching(/: it was refused, .* drop$/) }],
  ] as const)('when a probe finds a port %s that it expects to %s: %o', async (state, wish, expected) => {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    if (state === 'closed') await promisify(server.close.bind(server))()
    const probe = probeCheck({ to: '127.0.0.1', packet: port, expect: wish, timeout: 5_000 })
    const { outcome } = await push(APPLY, { task: { safety: { ...SAFETY, checks: [probe] } } })
    server.close()
    expect(outcome).toMatchObject(expected)
    if (wish === 'drop') expect(outcome.reason).toContain(`probe of 127.0.0.1 port ${port}: `)
  })

  it('leaves the confirmation to a person who wants it', async () => {
    const { outcome, phases } = await push(APPLY, { task: { safety: { ...SAFETY, hold: true } } })
    expect(outcome).toMatchObject({ status: 'awaiting', next: `edgepush confirm ${RUN}` })
    expect(phases).not.toContain('confirm')
  })

  it.each([
    [new Unfit('no bridge'), { status: 'refused', phase: 'render', reason: 'no bridge' }],
    [
      new Refusal(EXIT.badView, 'bad view', 'look'),
      { status: 'refused', phase: 'render', reason: 'bad view', next: 'look' },
    ],
  ])('when there is no bundle for it: %s', async (error, expected) => {
    const bundleFor = () => {
      throw error
    }
    expect((await push(APPLY, { task: { bundleFor } })).outcome).toMatchObject(expected)
  })

  it('when the login is refused, what to do is said', async () => {
    const connect = () => {
      throw new NotTrusted('another host key', 'compare it')
    }
    const { outcome } = await push(APPLY, { connect })
    expect(outcome).toMatchObject({ status: 'refused', phase: 'connect', next: 'compare it', distrust: true })
  })

  it('closes the connection, however it ends, and lets a bug through', async () => {
    let closed = 0
    const connect = () => ({
      ...node.connect(),
      close() {
        closed += 1
      },
    })
    await push(APPLY, { connect })
    const bundleFor = () => {
      throw new TypeError('a bug')
    }
    await expect(push(APPLY, { connect, task: { bundleFor } })).rejects.toThrow('a bug')
    expect(closed).toBe(3)
  })
})

function bundleOf(script: string): Bundle {
  const text = `${script}\n`
  const manifest = `${JSON.stringify({ node: 'nc-01', files: { 'apply.sh': sha256(text) } }, null, 2)}\n`
  const files = [
    { name: 'apply.sh', text },
    { name: 'manifest.json', text: manifest },
  ]
  return { node: 'nc-01', digest: sha256(manifest), files }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
