/**
 * Whether instances are in groups that the view has. The original drops their traffic without a word.
 *
 * A group that could not be read is there all the same, unless it has been left out: one defect is said once.
 */

import type { Instance } from '../view.ts'
import type { ViewDocument } from './document.ts'
import type { Findings } from './findings.ts'

/** The document without the memberships that are left out. */
export function checkMemberships(document: ViewDocument, findings: Findings): ViewDocument {
  const { instances, groups, groupNames } = document
  if (!groupNames) return document
  const known = new Set((findings.isLenient ? groups : groupNames).map(({ id }) => id))
  const named = new Set(groupNames.map(({ id }) => id))

  function keepKnown(instance: Instance): Instance {
    const unknown = instance.groups.filter((id) => !known.has(id))
    if (unknown.length === 0) return instance
    const place = findings.placeOf(instance)
    for (const id of unknown) {
      const reason = named.has(id) ? 'which is left out' : 'which is not in the view'
      findings.within('membership').error(place, `is in group ${id}, ${reason}`)
    }
    return findings.place({ ...instance, groups: instance.groups.filter((id) => known.has(id)) }, place)
  }

  return findings.place({ ...document, instances: instances.map(keepKnown) }, findings.placeOf(document))
}
