/**
 * Gets a view from where it is. Whether it is one is for the parser to say; here only that the text is all of what was
 * there at one moment, because the file may be rewritten while it is read.
 */

import { stat } from 'node:fs/promises'
import type { Target, Transport } from '../../node/transport.ts'
import { readLocalFile } from './read-local-file.ts'
import { readRemoteView } from './read-remote-view.ts'
import { readViewFolder } from './read-view-folder.ts'
import type { SourcedView } from './sourced-view.ts'

export type { SourcedView } from './sourced-view.ts'

export type ViewSource =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'ssh'; readonly target: Target; readonly file: string }

/** The transport is only used for a source that needs one. */
export async function fetchView(source: ViewSource, transport: Transport): Promise<SourcedView> {
  if (source.kind === 'ssh') return await readRemoteView(source.target, source.file, transport)
  if (await isFolder(source.file)) return await readViewFolder(source.file)
  return await readLocalFile(source.file, source.file)
}

/** Whatever else is wrong with it shows when it is read. */
async function isFolder(file: string): Promise<boolean> {
  const stats = await stat(file).catch(() => undefined)
  return stats?.isDirectory() ?? false
}
