import { describe, expect, it } from 'vitest'
import type { Transport } from '../../src/node/transport.ts'
import type { RunEvent } from '../../src/run/event.ts'
import type { Outcome } from '../../src/run/outcome.ts'
import { type RunStage, runStages } from '../../src/run/run-stages.ts'
import { meansOf, shells, stageOf, taskOf } from './tasks.ts'

const NEVER = new AbortController().signal

async function run(stages: readonly RunStage[], signal: AbortSignal = NEVER, transport?: Transport) {
  const events: RunEvent[] = []
  const { outcomes, end } = await runStages(stages, meansOf(transport), signal, (event) => events.push(event))
  return { events, outcomes, end, statuses: statusesOf(outcomes) }
}

function statusesOf(outcomes: readonly Outcome[]): Readonly<Record<string, string>> {
  return Object.fromEntries(outcomes.map(({ node, status }) => [node, status]))
}

function began(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === 'stage-started' ? [event.stage] : []))
}

describe('stages', () => {
  it('run one after the other, and every node has its outcome in the order of the run', async () => {
    const { events, outcomes } = await run([
      stageOf('canary', [taskOf('b', 'good')]),
      stageOf('rest', [taskOf('c', 'good'), taskOf('a', 'good')]),
    ])
    expect(outcomes.map(({ node, status, phase, digest }) => [node, status, phase, digest])).toEqual([
      ['b', 'unchanged', 'probe', 'd0d0'],
      ['c', 'unchanged', 'probe', 'd0d0'],
      ['a', 'unchanged', 'probe', 'd0d0'],
    ])
    const first = events.findIndex((event) => event.type === 'outcome' && event.outcome.node === 'b')
    const second = events.findIndex((event) => event.type === 'stage-started' && event.stage === 'rest')
    expect(first).toBeGreaterThan(0)
    expect(second).toBeGreaterThan(first)
  })

  it('tell every phase and exactly one outcome of every node', async () => {
    const { events } = await run([stageOf('all', [taskOf('a', 'good'), taskOf('b', 'unfit'), taskOf('c', 'down')])])
    const phases = (node: string) =>
      events.flatMap((event) => (event.type === 'phase' && event.node === node ? [event.phase] : []))
    expect(phases('a')).toEqual(['connect', 'probe', 'render'])
    expect(phases('b')).toEqual(['connect', 'probe', 'render'])
    expect(phases('c')).toEqual(['connect'])
    const told = events.flatMap((event) => (event.type === 'outcome' ? [event.outcome.node] : []))
    expect(told.toSorted()).toEqual(['a', 'b', 'c'])
  })

  it.each(['unfit', 'down'] as const)(
    'end after one with a node that is %s; its other nodes are served',
    async (kind) => {
      const { events, statuses } = await run([
        stageOf('canary', [taskOf('bad', kind), taskOf('good', 'good')]),
        stageOf('more', [taskOf('later', 'good')]),
        stageOf('rest', [taskOf('last', 'good')]),
      ])
      const bad = kind === 'unfit' ? 'refused' : 'unreachable'
      expect(statuses).toEqual({ bad, good: 'unchanged', later: 'not-attempted', last: 'not-attempted' })
      expect(began(events)).toEqual(['canary'])
      expect(events.at(-1)).toEqual({
        type: 'stopped',
        stage: 'canary',
        failed: ['bad'],
        why: 'it has no budget for failures',
      })
    },
  )

  it('do not stop after the last: there is nothing left to stop', async () => {
    const { events, statuses } = await run([stageOf('all', [taskOf('bad', 'down')])])
    expect(statuses).toEqual({ bad: 'unreachable' })
    expect(events.filter(({ type }) => type === 'stopped')).toEqual([])
  })

  it('have no more nodes at a time than they say', async () => {
    let open = 0
    let most = 0
    const counting: Transport = {
      async connect(target) {
        open += 1
        most = Math.max(most, open)
        const connection = await shells.connect(target)
        return {
          run: connection.run,
          whyLost: connection.whyLost,
          close() {
            open -= 1
          },
        }
      },
    }
    const tasks = Array.from({ length: 8 }, (_, index) => taskOf(`nc-${index}`, 'good'))
    const { statuses } = await run([stageOf('all', tasks, { parallel: 3 })], NEVER, counting)
    expect(new Set(Object.values(statuses))).toEqual(new Set(['unchanged']))
    expect(most).toBe(3)
    expect(open).toBe(0)
  })
})

describe('an end that the user asked for', () => {
  it('lets nodes in flight finish, and begins no other, in this stage or the next', async () => {
    const controller = new AbortController()
    const { events, statuses } = await run(
      [
        stageOf('canary', [taskOf('a', 'good', () => controller.abort()), taskOf('b', 'good')], { parallel: 1 }),
        stageOf('rest', [taskOf('c', 'good')]),
      ],
      controller.signal,
    )
    expect(statuses).toEqual({ a: 'unchanged', b: 'not-attempted', c: 'not-attempted' })
    expect(began(events)).toEqual(['canary'])
  })

  it('does not wait for the pause between two stages', async () => {
    const controller = new AbortController()
    const stages = [
      stageOf('canary', [taskOf('a', 'good')], { pause: 3_600_000 }),
      stageOf('rest', [taskOf('b', 'good')]),
    ]
    const { outcomes } = await runStages(stages, meansOf(), controller.signal, (event) => {
      if (event.type === 'outcome') setImmediate(() => controller.abort())
    })
    expect(statusesOf(outcomes)).toEqual({ a: 'unchanged', b: 'not-attempted' })
  })

  it('before the first stage begins nothing', async () => {
    const { events, statuses } = await run([stageOf('all', [taskOf('a', 'good')])], AbortSignal.abort())
    expect(statuses).toEqual({ a: 'not-attempted' })
    expect(events).toEqual([])
  })
})
