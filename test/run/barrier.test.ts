/** Nodes of a batch that wait for one another, and what becomes of those that wait when others fail. */

import { describe, expect, it } from 'vitest'
import type { RunEvent } from '../../src/run/event.ts'
import type { Doubting } from '../../src/run/guard.ts'
import { exitCode } from '../../src/run/outcome.ts'
import type { Finding, Means, NodeTask } from '../../src/run/run-node.ts'
import { type RunStage, runStages } from '../../src/run/run-stages.ts'
import { meansOf, stageOf, targetOf, taskOf } from './tasks.ts'

const NEVER = new AbortController().signal

interface Log {
  readonly ready: string[]
  readonly begun: string[]
}

/** A node that is changed as soon as it may be; `atReady` is what happens elsewhere just then. */
function changing(name: string, log: Log, atReady: () => void = () => undefined, end: Partial<Finding> = {}): NodeTask {
  return {
    name,
    target: targetOf(name),
    async serve(link, enter) {
      enter('ready')
      log.ready.push(name)
      atReady()
      const going = await link.mayBegin({ node: name, before: 100, after: 100, isAnother: true })
      if (!going.may) return { status: 'not-attempted', phase: 'ready', reason: going.why, notes: [] }
      enter('commit')
      log.begun.push(`${name} after ${log.ready.length}`)
      return { status: 'converged', phase: 'confirm', notes: [], ...end }
    },
  }
}

async function run(stages: readonly RunStage[], signal: AbortSignal = NEVER, doubting?: Means['doubting']) {
  const events: RunEvent[] = []
  const ended = await runStages(stages, { ...meansOf(), doubting }, signal, (event) => events.push(event))
  const statuses = Object.fromEntries(ended.outcomes.map(({ node, status }) => [node, status]))
  return { ...ended, events, statuses }
}

const log = (): Log => ({ ready: [], begun: [] })

describe('nodes of a batch', () => {
  it('begin together when all of them are ready, however few are made ready at a time', async () => {
    const seen = log()
    const tasks = ['a', 'b', 'c', 'd'].map((name) => changing(name, seen))
    const { statuses } = await run([stageOf('all', tasks, { parallel: 1 })])
    expect(seen.begun).toEqual(['a after 4', 'b after 4', 'c after 4', 'd after 4'])
    expect(new Set(Object.values(statuses))).toEqual(new Set(['converged']))
  })

  it('begin each for itself where their stage says so', async () => {
    const seen = log()
    const tasks = ['a', 'b', 'c'].map((name) => changing(name, seen))
    await run([stageOf('all', tasks, { parallel: 1, commit: 'each' })])
    expect(seen.begun).toEqual(['a after 1', 'b after 2', 'c after 3'])
  })

  it('wait for nobody who has failed, or holds what it should', async () => {
    const seen = log()
    const tasks = [taskOf('bad', 'unfit'), changing('a', seen), taskOf('down', 'down'), taskOf('same', 'good')]
    const { statuses, end } = await run([stageOf('all', tasks)])
    expect(statuses).toEqual({ bad: 'refused', a: 'converged', down: 'unreachable', same: 'unchanged' })
    expect(end).toBeUndefined()
  })

  it('wait for nobody at whom a bug came to light, which is thrown', async () => {
    const seen = log()
    const bug: NodeTask = {
      ...changing('bug', seen),
      async serve() {
        throw new TypeError('a bug')
      },
    }
    const both = run([stageOf('all', [changing('a', seen), bug])])
    await expect(both).rejects.toThrow('a bug')
    await expect.poll(() => seen.begun).toEqual(['a after 1'])
  })

  it('begin a batch after the other', async () => {
    const seen = log()
    const tasks = ['a', 'b', 'c', 'd'].map((name) => changing(name, seen))
    await run([stageOf('all', tasks, { batches: [{ nodes: 1 }, { nodes: 2 }] })])
    expect(seen.begun).toEqual(['a after 1', 'b after 3', 'c after 3', 'd after 4'])
  })

  it('a batch with a failure is the last where there is no budget; its other nodes are served', async () => {
    const seen = log()
    const tasks = [changing('a', seen), taskOf('bad', 'unfit'), changing('b', seen), changing('c', seen)]
    const { statuses, end, events } = await run([stageOf('all', tasks, { batches: [{ nodes: 1 }, { nodes: 2 }] })])
    expect(statuses).toEqual({ a: 'converged', bad: 'refused', b: 'converged', c: 'not-attempted' })
    expect(end).toBe('failures')
    expect(events.at(-1)).toMatchObject({ type: 'stopped', failed: ['bad'], why: 'it has no budget for failures' })
  })
})

describe('a budget', () => {
  it('that is reached while nodes are made ready keeps every one of them from beginning', async () => {
    const seen = log()
    const tasks = [changing('a', seen), taskOf('bad', 'unfit'), taskOf('down', 'down'), changing('b', seen)]
    const { outcomes, statuses, end } = await run([stageOf('all', tasks, { failures: { nodes: 2 } })])
    expect(statuses).toEqual({ a: 'not-attempted', bad: 'refused', down: 'unreachable', b: 'not-attempted' })
    expect(seen.begun).toEqual([])
    expect(outcomes[0]?.reason).toBe('2 nodes failed, and the run stops at 2')
    expect(end).toBe('failures')
  })

  it('that is not reached keeps nobody back, and the next stage begins', async () => {
    const seen = log()
    const first = [changing('a', seen), taskOf('bad', 'unfit')]
    const { statuses, end } = await run([
      stageOf('first', first, { failures: { nodes: 2 } }),
      stageOf('rest', [changing('b', seen)], { failures: { nodes: 2 } }),
    ])
    expect(statuses).toEqual({ a: 'converged', bad: 'refused', b: 'converged' })
    expect(end).toBeUndefined()
  })

  it('counts over the whole run: what failed in an earlier stage is not forgiven', async () => {
    const seen = log()
    const { statuses } = await run([
      stageOf('first', [taskOf('bad', 'unfit'), changing('a', seen)], { failures: { percent: 50 } }),
      stageOf('rest', [taskOf('down', 'down'), changing('b', seen)], { failures: { percent: 50 } }),
    ])
    expect(statuses).toEqual({ bad: 'refused', a: 'converged', down: 'unreachable', b: 'not-attempted' })
  })

  it('that is reached keeps nodes from being asked at all', async () => {
    const seen = log()
    const tasks = [taskOf('down', 'down'), changing('a', seen), changing('b', seen)]
    const { statuses } = await run([stageOf('all', tasks, { parallel: 1, commit: 'each', failures: { nodes: 0 } })])
    expect(statuses).toEqual({ down: 'unreachable', a: 'not-attempted', b: 'not-attempted' })
    expect(seen.ready).toEqual([])
  })

  it('that is reached by the last node of all is reached', async () => {
    const seen = log()
    const failing = changing('a', seen, undefined, { status: 'rolled-back' })
    const { end, events } = await run([stageOf('all', [failing, changing('b', seen)], { failures: { nodes: 1 } })])
    expect(end).toBe('failures')
    expect(events.filter(({ type }) => type === 'stopped')).toEqual([])
  })

  it('stops after a batch whose nodes failed when they had begun', async () => {
    const seen = log()
    const failing = changing('a', seen, undefined, { status: 'rolled-back' })
    const stage = stageOf('all', [failing, changing('b', seen)], { batches: [{ nodes: 1 }], failures: { nodes: 1 } })
    const { statuses, events } = await run([stage])
    expect(statuses).toEqual({ a: 'rolled-back', b: 'not-attempted' })
    expect(events.at(-1)).toMatchObject({ type: 'stopped', why: '1 node failed, and the run stops at 1' })
  })
})

describe('a guard', () => {
  function most(count: number): Doubting {
    let changed = 0
    return {
      expect() {
        changed += 1
      },
      doubts: () => (changed > count ? [{ guard: 'changed', saw: `${changed} would change` }] : []),
    }
  }

  it('keeps every node of a batch from beginning, and the next batch from being asked', async () => {
    const seen = log()
    const tasks = ['a', 'b', 'c'].map((name) => changing(name, seen))
    const stage = stageOf('all', tasks, { batches: [{ nodes: 2 }], failures: { nodes: 3 } })
    const { statuses, outcomes, end } = await run([stage], NEVER, most(1))
    expect(new Set(Object.values(statuses))).toEqual(new Set(['not-attempted']))
    expect(outcomes[0]?.reason).toBe('guard changed: 2 would change')
    expect(seen).toEqual({ ready: ['a', 'b'], begun: [] })
    expect(end).toBe('guard')
    expect(exitCode(outcomes, end)).toBe(8)
  })

  it('counts over the whole run: what an earlier batch changed is changed', async () => {
    const seen = log()
    const tasks = ['a', 'b', 'c'].map((name) => changing(name, seen))
    const { statuses } = await run([stageOf('all', tasks, { batches: [{ nodes: 1 }] })], NEVER, most(1))
    expect(statuses).toEqual({ a: 'converged', b: 'not-attempted', c: 'not-attempted' })
  })

  it('that sees nothing keeps nobody back', async () => {
    const seen = log()
    const { end, statuses } = await run([stageOf('all', [changing('a', seen)])], NEVER, most(1))
    expect([end, statuses]).toEqual([undefined, { a: 'converged' }])
  })
})

describe('an end that the user asked for', () => {
  it('while nodes wait for others lets none of them begin, nor those that come later', async () => {
    const seen = log()
    const controller = new AbortController()
    const tasks = [changing('a', seen), changing('b', seen, () => controller.abort()), changing('c', seen)]
    const { statuses, outcomes } = await run([stageOf('all', tasks)], controller.signal)
    expect(statuses).toEqual({ a: 'not-attempted', b: 'not-attempted', c: 'not-attempted' })
    expect(outcomes.map(({ reason }) => reason)).toEqual(Array(3).fill('the run was ended'))
    expect(seen.begun).toEqual([])
  })

  it('lets a node that has begun come to its end', async () => {
    const seen = log()
    const controller = new AbortController()
    const task: NodeTask = {
      ...changing('a', seen),
      async serve(link) {
        expect(await link.mayBegin({ node: 'a', before: 1, after: 1, isAnother: true })).toEqual({ may: true })
        controller.abort()
        return { status: 'converged', phase: 'confirm', notes: [] }
      },
    }
    const stages = [stageOf('first', [task]), stageOf('rest', [changing('b', seen)])]
    expect((await run(stages, controller.signal)).statuses).toEqual({ a: 'converged', b: 'not-attempted' })
  })
})
