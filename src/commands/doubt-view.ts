/** What is doubtful about a view as a whole, seen from what else we know: a sentence each. */

import type { InventoryNode } from '../config/inventory.ts'
import type { NodeRecord } from '../record/record.ts'
import type { ViewStamp } from '../run/event.ts'
import type { SourcedView } from '../view/source/fetch-view.ts'
import type { View } from '../view/view.ts'

/** Nodes of the view that nobody can push to, and nodes of the inventory for which there is nothing to push. */
export function doubtNodes(
  view: View,
  all: readonly InventoryNode[],
  served: readonly InventoryNode[],
): readonly string[] {
  const known = new Set<string>(all.map(({ address }) => address))
  const viewed = view.clusters.flatMap((cluster) => cluster.nodes.map(({ name }) => name))
  return [
    ...viewed.filter((name) => !known.has(name)).map((name) => `the inventory has no node with address ${name}`),
    ...served
      .filter(({ address }) => !viewed.includes(address))
      .map(({ name, address, where }) => `${where}: ${name} is ${address}, which is no node of the view`),
  ]
}

/** A cloud controller rewrites its view all the time: one that is old is of a controller that is not in charge. */
export function doubtAge({ modified, origin }: SourcedView, maxAge: number | undefined, now: Date): readonly string[] {
  if (maxAge === undefined || modified === undefined) return []
  const age = now.getTime() - modified.getTime()
  if (age <= maxAge) return []
  return [
    `${origin} was last written ${Math.round(age / 1000)} s ago, which is more than max_age: ${Math.round(maxAge / 1000)} s`,
  ]
}

/** The version is a hash of some of what the view holds: other content under the same version is not seen by the cloud. */
export function doubtVersion(view: ViewStamp, records: ReadonlyMap<string, NodeRecord>): readonly string[] {
  const { version, digest } = view
  const served = [...records.values()].filter((record) => version !== undefined && record.view?.version === version)
  if (served.length === 0 || served.some((record) => record.view?.digest === digest)) return []
  return [`version ${version} was served before with other content (run ${served[0]?.run})`]
}
