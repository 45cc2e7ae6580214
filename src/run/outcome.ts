/** What became of one node in one run; each status means one thing for the node. */

import { EXIT, type ExitCode } from '../error.ts'

export type Status =
  /** The run ended before its turn came. */
  | 'not-attempted'
  /** It already held the bundle. */
  | 'unchanged'
  /** It holds the bundle, proven by read-back. */
  | 'converged'
  /** It is eucanetd's again, with what it held. */
  | 'released'
  /** Nothing of it was changed. */
  | 'refused'
  /** It holds again what it held before, proven by read-back. */
  | 'rolled-back'
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
  | 'commit'
  | 'adopt'
  | 'confirm'
  | 'release'
  | 'forget'

/** Before these nothing of a node is changed, whatever happens; from them on a lost connection leaves it open. */
export const CHANGING: ReadonlySet<RunPhase> = new Set(['commit', 'adopt', 'confirm', 'release', 'forget'])

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
  /** What the node holds against what the view asks for, when a command was to show it. */
  readonly difference?: readonly string[]
  /** What to type next. */
  readonly next?: string
  /** The login was refused: wrong host key, or our key is not accepted. */
  readonly distrust?: true
  readonly milliseconds: number
}

export function isGood({ status }: Outcome): boolean {
  return status === 'unchanged' || status === 'converged' || status === 'released'
}

/**
 * The worst that happened decides. A run that stopped early says so rather than why, because nodes were left out; a
 * refused login is told from other failures only when nothing worse happened.
 */
export function exitCode(outcomes: readonly Outcome[]): ExitCode {
  const has = (status: Status) => outcomes.some((outcome) => outcome.status === status)
  if (has('unknown')) return EXIT.unknown
  if (has('not-attempted')) return EXIT.stopped
  if (has('rolled-back')) return EXIT.rolledBack
  if (outcomes.some(({ status, distrust }) => status === 'refused' && !distrust)) return EXIT.someFailed
  if (has('refused')) return EXIT.noPermission
  return has('unreachable') ? EXIT.unreachable : EXIT.ok
}
