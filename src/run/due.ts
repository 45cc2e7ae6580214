/**
 * Which nodes are asked in a round of `watch`, and when the next one is due by itself.
 *
 * Invariants: a node that holds what the view asks for, as far as we know, is left alone until the next full round; one that
 * failed is asked again, later each time, and at once where it should hold something else now; one that does not answer is
 * never asked before its time, because the others would wait for it.
 */

import { isGood, type Outcome, type Status } from './outcome.ts'

/** What is known of a node since its last round. */
export interface Known {
  readonly status: Status
  /** Of the bundle that it was to hold then, if it came to one. */
  readonly digest: string | undefined
  /** Rounds in a row that came to no good end. */
  readonly failures: number
  /** When it is asked again although nothing has changed; on the clock of the rounds. */
  readonly again: number
}

export interface Wanted {
  readonly name: string
  /** Of the bundle that it should hold by what we know of it; undefined where that cannot be told. */
  readonly digest: string | undefined
}

const SHORTEST = 5_000
const LONGEST = 300_000

export function dueNodes(
  nodes: readonly Wanted[],
  known: ReadonlyMap<string, Known>,
  { now, isFull }: { readonly now: number; readonly isFull: boolean },
): readonly string[] {
  return nodes
    .filter(({ name, digest }) => {
      const last = known.get(name)
      if (isFull || !last || now >= last.again) return true
      return last.status !== 'unreachable' && digest !== last.digest
    })
    .map(({ name }) => name)
}

/** `chance` is one of 0 to 1: nodes that failed together are not asked again together. */
export function learn(before: Known | undefined, outcome: Outcome, now: number, chance: number): Known {
  const { status, digest } = outcome
  if (isGood(outcome)) return { status, digest, failures: 0, again: Number.POSITIVE_INFINITY }
  const failures = (before?.failures ?? 0) + 1
  return { status, digest, failures, again: now + delay(failures, chance) }
}

/** Milliseconds; doubles each time, up to a limit. */
export function delay(failures: number, chance: number): number {
  return Math.min(LONGEST, SHORTEST * 2 ** (failures - 1)) * (0.5 + chance / 2)
}

/** When the first of these nodes is asked again, whatever the view does. */
export function nextDue(known: ReadonlyMap<string, Known>): number {
  return Math.min(...[...known.values()].map(({ again }) => again))
}
