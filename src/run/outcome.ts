/** What became of one node in one run; each status means one thing for the node. */

import { EXIT, type ExitCode } from '../error.ts'
import type { Change } from '../node/change.ts'

export type Status =
  /** The run ended before its turn came. */
  | 'not-attempted'
  /** It already held the bundle. */
  | 'unchanged'
  /** It holds the bundle, proven by read-back. */
  | 'converged'
  /** It holds the bundle, and goes back by itself unless a person confirms it in time. */
  | 'awaiting'
  /** It is eucanetd's again, with what it held. */
  | 'released'
  /** Nothing of it was changed. */
  | 'refused'
  /** It holds again its last confirmed bundle, or what was there before; proven by read-back. */
  | 'rolled-back'
  /** It does not answer any more; when its window ends it goes back by itself. */
  | 'reverting'
  /** Our last word from it leaves open what it holds. */
  | 'unknown'
  /** It did not answer, nothing was changed. */
  | 'unreachable'

export type RunPhase =
  | 'connect'
  | 'probe'
  | 'render'
  | 'stage'
  | 'compare'
  | 'ready'
  | 'commit'
  | 'adopt'
  | 'verify'
  | 'confirm'
  | 'abort'
  | 'extend'
  | 'release'
  | 'forget'

/** Before these nothing of a node is changed, whatever happens; from them on a lost connection leaves it open. */
export const CHANGING: ReadonlySet<RunPhase> = new Set([
  'commit',
  'adopt',
  'verify',
  'confirm',
  'abort',
  'extend',
  'release',
  'forget',
])

export interface Outcome {
  readonly node: string
  readonly status: Status
  /** How far it came; absent when not attempted. */
  readonly phase?: RunPhase
  /** Of the bundle that it was to hold, if it came to one. */
  readonly digest?: string
  /** Why the bundle was pushed, or why it was not. */
  readonly reason?: string
  readonly notes: readonly string[]
  /** What was made different, by artifact, as the node counted it when it was confirmed. */
  readonly changes?: readonly Change[]
  /** What the node holds against what the view asks for, when a command was to show it. */
  readonly difference?: readonly string[]
  /** What to type next. */
  readonly next?: string
  /** The login was refused: wrong host key, or our key is not accepted. */
  readonly distrust?: true
  /** Another run has the node. */
  readonly heldElsewhere?: true
  /** When its new rules began to decide. */
  readonly activated?: Activated
  readonly milliseconds: number
}

/** In milliseconds since the run began. */
export interface Activated {
  /** As heard here. */
  readonly heard: number
  /** By the node's own clock, corrected: between these two. */
  readonly at?: { readonly earliest: number; readonly latest: number }
}

/** What counts against a budget; a node that was not attempted has not failed. */
export function isFailure(outcome: Outcome): boolean {
  return !isGood(outcome) && outcome.status !== 'not-attempted'
}

export function isGood({ status }: Pick<Outcome, 'status'>): boolean {
  return status === 'unchanged' || status === 'converged' || status === 'awaiting' || status === 'released'
}

/** A commit of the node may still wait for a word, also where nobody knows what became of it. */
export function isOpen(outcome: Outcome | undefined): boolean {
  const status = outcome?.status
  return status === undefined || status === 'awaiting' || status === 'reverting' || status === 'unknown'
}

/**
 * The worst that happened decides. A run that stopped early says so rather than why, because nodes were left out; what
 * makes another attempt worth it, a login or another run, is told from other failures only when nothing worse happened.
 */
export function exitCode(outcomes: readonly Outcome[], end?: 'failures' | 'guard'): ExitCode {
  const has = (status: Status) => outcomes.some((outcome) => outcome.status === status)
  if (has('unknown')) return EXIT.unknown
  if (end === 'guard') return EXIT.guarded
  if (end === 'failures' || has('not-attempted')) return EXIT.stopped
  if (has('rolled-back') || has('reverting')) return EXIT.rolledBack
  const refused = outcomes.filter(({ status }) => status === 'refused')
  if (refused.some(({ distrust, heldElsewhere }) => !distrust && !heldElsewhere)) return EXIT.someFailed
  if (refused.some(({ distrust }) => distrust)) return EXIT.noPermission
  if (refused.length > 0) return EXIT.heldElsewhere
  return has('unreachable') ? EXIT.unreachable : EXIT.ok
}
