/** One node, pushed to in namespaces of this machine, over a connection that breaks where a test wants it to. */

import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Bundle } from '../../src/bundle/bundle.ts'
import { EXIT, Refusal, Unfit } from '../../src/error.ts'
import { type Connection, ConnectionLost, NotTrusted } from '../../src/node/transport.ts'
import type { RunPhase } from '../../src/run/outcome.ts'
import { type Goal, pushing } from '../../src/run/push.ts'
import { runNode } from '../../src/run/run-node.ts'
import { makeSandbox, type Sandbox, sandboxMissing } from '../node/sandbox.ts'
import { meansOf, targetOf } from './tasks.ts'

const missing = sandboxMissing()
if (missing !== '') console.error(`SKIPPED: no node to push to without ${missing}`)

/** An apply script that keeps its word and nothing else. */
const APPLY = `state=/var/lib/edgepush here=$(cd "$(dirname "$0")" && pwd)
case $1 in
  check) echo note checked ;;
  commit) touch "$state/committed"; echo note committed ;;
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
    how: { readonly task?: Partial<Goal>; readonly connect?: () => Connection } = {},
  ) {
    const phases: RunPhase[] = []
    const { connect = () => node.connect() } = how
    const goal = { bundleFor: () => bundleOf(script), version: undefined, templates: { 'node/probe.sh': PROBE } }
    const task = { name: 'nc-01', target: targetOf('nc-01'), serve: pushing({ ...goal, ...how.task }) }
    const means = meansOf({ connect: async () => connect() })
    const outcome = await runNode(task, means, (phase) => phases.push(phase))
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
    expect(first.outcome.notes).toEqual(['checked', 'committed'])
    expect(first.phases).toEqual(['connect', 'probe', 'render', 'stage', 'commit', 'confirm'])

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
        async run(command: string, input: string, timeout: number) {
          if (input.includes('apply.sh confirm 0a1b2c3d')) throw new ConnectionLost('it was lost while a command ran')
          return await connection.run(command, input, timeout)
        },
      }
    }
    const { outcome } = await push(APPLY, { task: { version: '0a1b2c3d' }, connect })
    expect(outcome).toMatchObject({ status: 'unreachable' })
  })

  it.each([
    ['check', 20, 'refused', 'stage'],
    ['check', 1, 'refused', 'stage'],
    ['commit', 20, 'refused', 'commit'],
    ['commit', 21, 'rolled-back', 'commit'],
    ['commit', 22, 'unknown', 'commit'],
    ['commit', 1, 'unknown', 'commit'],
    ['confirm', 22, 'unknown', 'confirm'],
  ])('when %s ends with %i: %s at %s', async (verb, status, expected, phase) => {
    const { outcome } = await push(`[ "$1" != ${verb} ] || { echo note so; echo error why; exit ${status}; }\n${APPLY}`)
    expect(outcome).toMatchObject({ status: expected, phase, reason: expect.stringContaining('why') })
    expect(outcome.notes).toContain('so')
  })

  it.each([
    ['probe', PROBE, 'unreachable'],
    ['stage', 'incoming', 'unreachable'],
    ['commit', 'apply.sh commit', 'unknown'],
    ['confirm', 'apply.sh confirm', 'unknown'],
  ])('when the connection is lost during %s', async (phase, words, status) => {
    const connect = () => {
      const connection = node.connect()
      return {
        ...connection,
        async run(command: string, input: string, timeout: number) {
          const reply = await connection.run(command, input, timeout)
          if (input.includes(words)) throw new ConnectionLost('it was lost while a command ran')
          return reply
        },
      }
    }
    const { outcome } = await push(APPLY, { connect })
    expect(outcome).toMatchObject({ status, phase, reason: 'it was lost while a command ran' })
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
    expect(closed).toBe(2)
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
