/**
 * The stages of a run, one after the other.
 *
 * Invariants: every node has an outcome, `not-attempted` until something better is known; a node's failure never keeps
 * another node of its stage from being served; after a stage with a failure no further stage begins, because a canary
 * that failed must not be followed.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import pLimit from 'p-limit'
import type { Listener } from './event.ts'
import { isGood, type Outcome } from './outcome.ts'
import { type Means, type NodeTask, runNode } from './run-node.ts'

export interface RunStage {
  readonly name: string
  readonly tasks: readonly NodeTask[]
  readonly parallel: number
  /** Milliseconds to wait after it, before the next. */
  readonly pause: number
}

export async function runStages(
  stages: readonly RunStage[],
  means: Means,
  signal: AbortSignal,
  tell: Listener,
): Promise<readonly Outcome[]> {
  const outcomes = new Map<string, Outcome>(
    stages.flatMap(({ tasks }) => tasks.map(({ name }) => [name, notAttempted(name)] as const)),
  )
  for (const [index, stage] of stages.entries()) {
    if (signal.aborted) break
    for (const outcome of await runStage(stage, means, signal, tell)) outcomes.set(outcome.node, outcome)

    const failed = stage.tasks.map(({ name }) => outcomes.get(name)).filter((outcome) => outcome && !isGood(outcome))
    if (index === stages.length - 1) break
    if (failed.length > 0) {
      tell({ type: 'stopped', stage: stage.name, failed: failed.flatMap((outcome) => outcome?.node ?? []) })
      break
    }
    await sleep(stage.pause, undefined, { signal }).catch(() => undefined)
  }
  return [...outcomes.values()]
}

async function runStage(
  { name, tasks, parallel }: RunStage,
  means: Means,
  signal: AbortSignal,
  tell: Listener,
): Promise<readonly Outcome[]> {
  tell({ type: 'stage-started', stage: name, nodes: tasks.map((task) => task.name) })
  const limit = pLimit(parallel)
  return await Promise.all(
    tasks.map((task) =>
      limit(async () => {
        const outcome = signal.aborted
          ? notAttempted(task.name)
          : await runNode(task, means, (phase) => tell({ type: 'phase', node: task.name, phase }))
        tell({ type: 'outcome', outcome })
        return outcome
      }),
    ),
  )
}

function notAttempted(node: string): Outcome {
  return { node, status: 'not-attempted', notes: [], milliseconds: 0 }
}
