import type { LiveBlock } from './live-block.ts'

/** Where a command speaks: results on one side, everything else on the other. */
export interface Terminal {
  /** Results: what a program may read. */
  readonly out: (text: string) => void
  /** Everything else: progress, warnings, errors. */
  readonly err: (text: string) => void
  /** Where somebody watches the error side, what may be drawn there; `out` and `err` lift it before they write. */
  readonly live: LiveBlock | undefined
  readonly quiet: boolean
  readonly paint: Paint
}

/** Colour, or not. */
export interface Paint {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly faint: (text: string) => string
  readonly strong: (text: string) => string
}
