/**
 * Gets a view from where it is. Whether it is one is for the parser to say; here only that the text is all of what was
 * there at one moment, because the file may be rewritten while it is read.
 */

import { stat } from 'node:fs/promises'
import type { Target, Transport } from '../../node/transport.ts'
import { configuredView } from './configured-view.ts'
import { readLocalFile } from './read-local-file.ts'
import { readRemoteView } from './read-remote-view.ts'
import { readViewFolder } from './read-view-folder.ts'
import { runLister } from './run-lister.ts'
import type { SourcedView } from './sourced-view.ts'

export type { Configured, SourcedView } from './sourced-view.ts'

/** With `instances` the file is not a view but a configuration file. */
export type ViewSource = (
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'ssh'; readonly target: Target; readonly file: string }
) & { readonly instances?: ListSource | undefined }

type ListSource =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'command'; readonly command: readonly string[] }

/** The transport is only used for a source that needs one. */
export async function fetchView(source: ViewSource, transport: Transport): Promise<SourcedView> {
  const { kind, file, instances } = source
  const isView = instances === undefined
  if (isView && kind === 'file' && (await isFolder(file))) return await readViewFolder(file)
  const read = kind === 'ssh' ? await readRemoteView(source.target, file, transport) : await readLocalFile(file, file)
  return isView ? read : configuredView(read, await fetchList(instances))
}

async function fetchList(source: ListSource): Promise<SourcedView> {
  if (source.kind === 'file') return await readLocalFile(source.file, source.file)
  return { text: await runLister(source.command), origin: source.command.join(' '), modified: undefined }
}

/** Whatever else is wrong with it shows when it is read. */
async function isFolder(file: string): Promise<boolean> {
  const stats = await stat(file).catch(() => undefined)
  return stats?.isDirectory() ?? false
}
