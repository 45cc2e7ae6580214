/** The text of a view and what else its source knows about it. */
export interface SourcedView {
  /** All of it, whatever it was read from. */
  readonly text: string
  /** For messages: stands before the line number. */
  readonly origin: string
  /** By our own clock, also if the file is on another host. */
  readonly modified: Date | undefined
  /** What a folder holds; a view from before there were views. */
  readonly files?: readonly SourcedFile[]
  /** Of a cloud that publishes no view. */
  readonly configured?: Configured
}

export interface Configured {
  readonly conf: SourcedFile
  readonly list: SourcedFile
}

/** In what is configured the name is the whole path, and may begin with that of a host. */
interface SourcedFile {
  readonly name: string
  readonly text: string
}
