/**
 * The nodes of one batch: made ready so many at a time, and begun together where their stage says so.
 *
 * Invariant: a node that is ready no longer counts against the limit, because it waits for those that are not.
 */

import pLimit from 'p-limit'
import { barrier, type Going, type Place } from './barrier.ts'
import type { Listener } from './event.ts'
import type { Prospect } from './guard.ts'
import { mixedState } from './mixed-state.ts'
import type { Outcome } from './outcome.ts'
import { type Means, type NodeTask, runNode } from './run-node.ts'

export interface Batch {
  /** The name of its stage. */
  readonly stage: string
  readonly tasks: readonly NodeTask[]
  /** At a time, until they are ready. */
  readonly parallel: number
  /** Whether they wait for one another, to begin together. */
  readonly commit: 'together' | 'each'
  /** Whether any more nodes may begin. */
  readonly decide: () => Going
  /** A node is ready for this. */
  readonly expect: (prospect: Prospect) => void
}

export async function runBatch(
  { stage, tasks, parallel, commit, decide, expect }: Batch,
  means: Means,
  signal: AbortSignal,
  tell: Listener,
): Promise<void> {
  const all = barrier(tasks.length, decide, signal)
  const limit = pLimit(parallel)
  const served: Promise<Outcome>[] = []

  async function serve(task: NodeTask, place: Place): Promise<Outcome> {
    try {
      const going = decide()
      const outcome = going.may
        ? await runNode(task, means, {
            onPhase: (phase) => tell({ type: 'phase', node: task.name, phase }),
            mayBegin(prospect) {
              expect(prospect)
              return place.arrive()
            },
          })
        : heldBack(task.name, going)
      tell({ type: 'outcome', outcome })
      return outcome
    } finally {
      // Also of a bug: nobody waits for it.
      place.end()
    }
  }

  await Promise.all(
    tasks.map((task) =>
      limit(async () => {
        const place = commit === 'together' ? all.place() : barrier(1, decide, signal).place()
        const serving = serve(task, place)
        served.push(serving)
        await Promise.race([place.passed, serving])
      }),
    ),
  )
  const mixed = mixedState(await Promise.all(served))
  if (mixed) tell({ type: 'flipped', stage, ...mixed })
}

function heldBack(node: string, { why, next }: Extract<Going, { may: false }>): Outcome {
  return { node, status: 'not-attempted', reason: why, ...(next && { next }), notes: [], milliseconds: 0 }
}
