/** A configuration file and a list of instances, as one view. It is as old as the list: the file is written once. */

import type { SourcedView } from './sourced-view.ts'

export function configuredView(conf: SourcedView, list: SourcedView): SourcedView {
  return {
    configured: { conf: { name: conf.origin, text: conf.text }, list: { name: list.origin, text: list.text } },
    text: [conf, list].map(({ origin, text }) => `==> ${origin} <==\n${text}\n`).join(''),
    origin: `${conf.origin} with ${list.origin}`,
    modified: list.modified,
  }
}
