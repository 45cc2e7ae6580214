/**
 * The stages of a run, one after the other, each in batches.
 *
 * Invariants: every node has an outcome, `not-attempted` until something better is known; a node's failure keeps another
 * node of its batch from being changed only when it uses up the stage's budget, and then every node that has not begun;
 * without a budget no further batch begins after a failure, because a canary that failed must not be followed.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Going } from './barrier.ts'
import { batchesOf, type Size } from './batches.ts'
import { type Budget, describe, spent } from './budget.ts'
import type { Listener } from './event.ts'
import type { Doubt, Prospect } from './guard.ts'
import { isFailure, type Outcome } from './outcome.ts'
import { type Batch, runBatch } from './run-batch.ts'
import type { Means } from './run-node.ts'

export interface RunStage extends Omit<Batch, 'stage' | 'decide' | 'expect'> {
  readonly name: string
  /** One after the other; none is all at once. */
  readonly batches: readonly Size[]
  readonly failures: Budget | undefined
  /** Milliseconds to wait after a batch, before the next, also of another stage. */
  readonly pause: number
}

export interface Ended {
  readonly outcomes: readonly Outcome[]
  /** What would have kept the run from going on, whether there was anything left to do or not. */
  readonly end: 'failures' | 'guard' | undefined
}

export async function runStages(
  stages: readonly RunStage[],
  means: Means,
  signal: AbortSignal,
  tell: Listener,
): Promise<Ended> {
  const outcomes = new Map<string, Outcome>(
    stages.flatMap(({ tasks }) => tasks.map(({ name }) => [name, notAttempted(name)] as const)),
  )
  let failures = 0
  const learn: Listener = (event) => {
    if (event.type === 'outcome') outcomes.set(event.outcome.node, event.outcome)
    if (event.type === 'outcome' && isFailure(event.outcome)) failures += 1
    tell(event)
  }
  const batches = stages.flatMap((stage) => batchesOf(stage.tasks, stage.batches).map((tasks) => ({ stage, tasks })))

  let guarded: Extract<Going, { may: false }> | undefined

  for (const [index, { stage, tasks }] of batches.entries()) {
    if (signal.aborted) break
    if (stage !== batches[index - 1]?.stage)
      tell({ type: 'stage-started', stage: stage.name, nodes: stage.tasks.map(({ name }) => name) })
    const reached = () => {
      const use = stage.failures && spent(stage.failures, failures, outcomes.size)
      return use && describe(use)
    }
    const decide = (): Going => {
      if (signal.aborted) return { may: false, why: 'the run was ended' }
      guarded ??= refusalOf(means.doubting?.doubts() ?? [])
      const why = reached()
      return guarded ?? (why === undefined ? { may: true } : { may: false, why })
    }
    const expect = (prospect: Prospect) => means.doubting?.expect(prospect)
    await runBatch({ ...stage, stage: stage.name, tasks, decide, expect }, means, signal, learn)

    const failed = tasks.flatMap(({ name }) => outcomes.get(name) ?? []).filter(isFailure)
    const why = guarded?.why ?? (stage.failures ? reached() : failed.length > 0 && 'it has no budget for failures')
    const isLast = index === batches.length - 1
    if (why && !isLast) tell({ type: 'stopped', stage: stage.name, failed: failed.map(({ node }) => node), why })
    if (guarded) return { outcomes: [...outcomes.values()], end: 'guard' }
    if (why) return { outcomes: [...outcomes.values()], end: stage.failures || !isLast ? 'failures' : undefined }
    if (!isLast) await sleep(stage.pause, undefined, { signal }).catch(() => undefined)
  }
  return { outcomes: [...outcomes.values()], end: undefined }
}

function refusalOf(doubts: readonly Doubt[]): Extract<Going, { may: false }> | undefined {
  if (doubts.length === 0) return undefined
  const forces = doubts.map(({ guard }) => `--force ${guard}`).join(' ')
  return {
    may: false,
    why: doubts.map(({ guard, saw }) => `guard ${guard}: ${saw}`).join('; '),
    next: `if it is meant so: ${forces}`,
  }
}

function notAttempted(node: string): Outcome {
  return { node, status: 'not-attempted', notes: [], milliseconds: 0 }
}
