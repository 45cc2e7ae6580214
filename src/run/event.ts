/** What happens in a run, as it happens: the terminal, the NDJSON output and the record are its listeners. */

import type { MixedState } from './mixed-state.ts'
import type { Outcome, RunPhase } from './outcome.ts'

export type RunEvent =
  | {
      readonly type: 'run-started'
      readonly run: string
      readonly command: string
      readonly cloud: string
      /** Absent for a command that goes by no view. */
      readonly view: ViewStamp | undefined
      readonly nodes: readonly string[]
      /** Parts of the view that were wrong and are not served; only a lenient run leaves any out. */
      readonly leftOut?: number
    }
  | { readonly type: 'stage-started'; readonly stage: string; readonly nodes: readonly string[] }
  | { readonly type: 'phase'; readonly node: string; readonly phase: RunPhase }
  | { readonly type: 'outcome'; readonly outcome: Outcome }
  /** At the end of a batch in which several nodes were changed. */
  | ({ readonly type: 'flipped'; readonly stage: string } & MixedState)
  | { readonly type: 'stopped'; readonly stage: string; readonly failed: readonly string[]; readonly why: string }
  | { readonly type: 'run-finished'; readonly exitCode: number; readonly counts: Readonly<Record<string, number>> }

/** Which view a run served. The version is the cloud's word for it, the digest is ours. */
export interface ViewStamp {
  readonly origin: string
  /** As the view spells it; runs of earlier versions did not say. */
  readonly mode?: string
  readonly version: string | undefined
  readonly digest: string
}

export type Listener = (event: RunEvent) => void
