/** What was fetched, read, and the mode that serves it; or a refusal. */

import { modeNamed, modeOf } from '../modes/index.ts'
import type { Mode } from '../modes/mode.ts'
import { type AcceptedView, accepted, parseView, parseWire34, type Reading } from '../view/parse.ts'
import type { SourcedView } from '../view/source/fetch-view.ts'

export interface ServedView extends AcceptedView {
  readonly mode: Mode
}

/** `onlyNode` is the node of an inventory that has one: then a file of 3.4 that does not say whose it is is its. */
export function servedView(sourced: SourcedView, reading: Reading, onlyNode: string | undefined): ServedView {
  const { files, text, origin } = sourced
  const parsed = files ? parseWire34(files, origin, reading, onlyNode) : parseView(text, origin, reading)
  // First of all: what a mode that we do not know says in its own way would look like errors.
  if (parsed.mode !== undefined) modeNamed(parsed.mode, origin)
  const view = accepted(parsed, origin)
  return { ...view, mode: modeOf(view.view, origin) }
}
