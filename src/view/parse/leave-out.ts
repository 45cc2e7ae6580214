/** The document without some of its instances and groups. */

import type { ViewDocument } from './document.ts'
import type { Findings } from './findings.ts'

/** The private addresses of the instances stay known. */
export function leaveOut(document: ViewDocument, dropped: ReadonlySet<object>, findings: Findings): ViewDocument {
  const gone = document.instances.filter((instance) => dropped.has(instance))
  const rest = {
    ...document,
    instances: document.instances.filter((instance) => !dropped.has(instance)),
    groups: document.groups.filter((group) => !dropped.has(group)),
    withheld: [...document.withheld, ...gone.map(({ privateAddress }) => privateAddress)],
  }
  return findings.place(rest, findings.placeOf(document))
}
