/** The text of a view and what else its source knows about it. */
export interface SourcedView {
  readonly text: string
  /** For messages: stands before the line number. */
  readonly origin: string
  /** By our own clock, also if the file is on another host. */
  readonly modified: Date | undefined
}
