/** What was fetched, read, and the mode that serves it; or a refusal. */

import { readInstanceList } from '../config/instance-list.ts'
import { modeNamed, modeOf } from '../modes/index.ts'
import type { Mode } from '../modes/mode.ts'
import { type Allocation, NOTHING_ALLOCATED } from '../view/conf/allocation.ts'
import {
  type AcceptedView,
  accepted,
  type ParsedView,
  parseConf,
  parseView,
  parseWire34,
  type Reading,
} from '../view/parse.ts'
import type { Configured, SourcedView } from '../view/source/fetch-view.ts'

export interface ServedView extends AcceptedView {
  readonly mode: Mode
  /** What the view was made with, where that is not all in its source. */
  readonly allocation: Allocation | undefined
}

interface Surroundings {
  /** The node of an inventory that has one: then a file of 3.4 that does not say whose it is is its. */
  readonly onlyNode: string | undefined
  /** What the record says was given out. */
  readonly before: Allocation
}

export const ALONE: Surroundings = { onlyNode: undefined, before: NOTHING_ALLOCATED }

export function servedView(sourced: SourcedView, reading: Reading, surroundings = ALONE): ServedView {
  const { origin } = sourced
  const { allocation, ...parsed } = parsedOf(sourced, reading, surroundings)
  // First of all: what a mode that we do not know says in its own way would look like errors.
  if (parsed.mode !== undefined) modeNamed(parsed.mode, origin)
  const view = accepted(parsed, origin)
  return { ...view, mode: modeOf(view.view, origin), allocation }
}

function parsedOf(
  { files, configured, text, origin }: SourcedView,
  reading: Reading,
  { onlyNode, before }: Surroundings,
): ParsedView & { readonly allocation?: Allocation | undefined } {
  if (configured) return parseConfigured(configured, reading, before)
  return files ? parseWire34(files, origin, reading, onlyNode) : parseView(text, origin, reading)
}

function parseConfigured({ conf, list }: Configured, reading: Reading, before: Allocation) {
  const demandsOf = (mode: string) => modeNamed(mode, conf.name).conf
  return parseConf({ conf, list: readInstanceList(list.text, list.name), before, demandsOf }, reading)
}
