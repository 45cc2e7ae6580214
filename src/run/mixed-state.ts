/** For how long some nodes of a batch had the new rules and others not yet. */

import type { Outcome } from './outcome.ts'

/** In milliseconds, from the first activation to the last. */
export interface MixedState {
  readonly nodes: number
  /** As the controller heard of them. */
  readonly heard: number
  /** By the nodes' own clocks, corrected: between these two. Absent where a clock cannot be corrected. */
  readonly byNodes?: { readonly atLeast: number; readonly atMost: number }
}

/** Undefined where fewer than two nodes were changed: nothing was mixed. */
export function mixedState(outcomes: readonly Outcome[]): MixedState | undefined {
  const activated = outcomes.flatMap(({ activated }) => activated ?? [])
  if (activated.length < 2) return undefined
  const heard = Math.round(span(activated.map((each) => each.heard)))
  const spans = activated.flatMap(({ at }) => at ?? [])
  if (spans.length < activated.length) return { nodes: activated.length, heard }

  // The true moments lie anywhere in their spans.
  const earliest = spans.map((each) => each.earliest)
  const latest = spans.map((each) => each.latest)
  const atLeast = Math.max(0, Math.max(...earliest) - Math.min(...latest))
  const atMost = Math.max(...latest) - Math.min(...earliest)
  return { nodes: activated.length, heard, byNodes: { atLeast: Math.round(atLeast), atMost: Math.round(atMost) } }
}

function span(moments: readonly number[]): number {
  return Math.max(...moments) - Math.min(...moments)
}
