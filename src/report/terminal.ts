/** Where a command speaks: results on one side, everything else on the other. */
export interface Terminal {
  /** Results: what a program may read. */
  readonly out: (text: string) => void
  /** Everything else: progress, warnings, errors. */
  readonly err: (text: string) => void
  /** Somebody watches the error side: a line there may be overwritten. */
  readonly live: boolean
  readonly quiet: boolean
  readonly columns: number
  readonly paint: Paint
}

/** Colour, or not. */
export interface Paint {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly faint: (text: string) => string
  readonly strong: (text: string) => string
}
