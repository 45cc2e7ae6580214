/**
 * Gets a view from where it is. Whether it is one is for the parser to say; here only that the text is all of what was
 * there at one moment, because the file may be rewritten while it is read.
 */

import type { Target, Transport } from '../../node/transport.ts'
import { readLocalView } from './read-local-view.ts'
import { readRemoteView } from './read-remote-view.ts'
import type { SourcedView } from './sourced-view.ts'

export type { SourcedView } from './sourced-view.ts'

export type ViewSource =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'ssh'; readonly target: Target; readonly file: string }

/** The transport is only used for a source that needs one. */
export function fetchView(source: ViewSource, transport: Transport): Promise<SourcedView> {
  if (source.kind === 'file') return readLocalView(source.file)
  return readRemoteView(source.target, source.file, transport)
}
