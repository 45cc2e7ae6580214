/** What is doubtful about a view as a whole, seen from what else we know: what a guard saw, or a sentence to warn with. */

import type { InventoryNode } from '../config/inventory.ts'
import type { Mode } from '../modes/mode.ts'
import type { NodeRecord } from '../record/record.ts'
import { foldNames } from '../report/fold-names.ts'
import type { ViewStamp } from '../run/event.ts'
import type { Doubt } from '../run/guard.ts'
import { isGood } from '../run/outcome.ts'
import type { SourcedView } from '../view/source/fetch-view.ts'
import type { View, ViewNode } from '../view/view.ts'

const SAY_SOME = 'if the inventory is a part of the cloud on purpose, the playbook can say so: guard: { nodes: some }'

/** Whoever runs instances and is not in the inventory would silently keep what it holds, whatever the view says. */
export function doubtMissing({ clusters }: View, all: readonly InventoryNode[]): readonly Doubt[] {
  const known = new Set<string>(all.map(({ address }) => address))
  const missing = clusters.flatMap(({ nodes }) => nodes).filter(({ name }) => !known.has(name))
  const busy = missing.filter(({ instances }) => instances.length > 0)
  return [
    ...missing
      .filter(({ instances }) => instances.length === 0)
      .map(({ name }) => ({ guard: undefined, saw: `the inventory has no node with address ${name}` })),
    ...(busy.length > 0 ? [{ guard: 'nodes', saw: unserved(busy), instead: SAY_SOME } as const] : []),
  ]
}

/** In a mode whose controllers have duties, a cluster without one has no router, no leases and no rules. */
export function doubtControllers(
  { clusters }: View,
  all: readonly InventoryNode[],
  { duties }: Mode,
): readonly Doubt[] {
  if (!duties.cc) return []
  const known = new Set<string>(all.flatMap(({ role, address }) => (role === 'cc' ? address : [])))
  return clusters
    .filter(({ controller }) => !known.has(controller))
    .map(({ name, controller, nodes }) => {
      const saw = `the inventory has no cc with address ${controller}, which is the controller of cluster ${name}`
      const isBusy = nodes.some(({ instances }) => instances.length > 0)
      return isBusy ? ({ guard: 'nodes', saw, instead: SAY_SOME } as const) : { guard: undefined, saw }
    })
}

function unserved(nodes: readonly ViewNode[]): string {
  const count = nodes.reduce((sum, { instances }) => sum + instances.length, 0)
  const instances = `${count} ${count === 1 ? 'instance' : 'instances'}`
  const names = enumerate(nodes.map(({ name }) => name))
  if (nodes.length === 1) return `the inventory has no node with address ${names}, which runs ${instances}`
  return `the inventory has no nodes with these addresses, which run ${instances}: ${names}`
}

/** What the view has lost would be taken from such a node, or it cannot be served at all. */
export function doubtUnknown({ clusters }: View, chosen: readonly InventoryNode[]): readonly Doubt[] {
  const nodes = new Set(clusters.flatMap((cluster) => cluster.nodes.map(({ name }) => name)))
  const controllers = new Set(clusters.map(({ controller }) => controller))
  const unknown = chosen.filter(({ role, address }) => !(role === 'cc' ? controllers : nodes).has(address))
  const rest = unknown.length - MOST_SHOWN
  return [
    ...unknown.slice(0, MOST_SHOWN).map(({ name, address, where, role }) => {
      return `${where}: ${name} is ${address}, which is no ${role === 'cc' ? 'controller' : 'node'} of the view`
    }),
    ...(rest > 0 ? [`and ${rest} more nodes of the inventory that are no nodes of the view`] : []),
  ].map((saw) => ({ guard: 'nodes', saw }))
}

/** A cloud controller rewrites its view all the time: one that is old is of a controller that is not in charge. */
export function doubtAge({ modified, origin }: SourcedView, maxAge: number | undefined, now: Date): readonly Doubt[] {
  if (maxAge === undefined || modified === undefined) return []
  const age = now.getTime() - modified.getTime()
  if (age <= maxAge) return []
  const written = `${origin} was last written ${Math.round(age / 1000)} s ago`
  return [{ guard: 'age', saw: `${written}, which is more than max_age: ${Math.round(maxAge / 1000)} s` }]
}

/** A cloud changes its mode once in its life, if ever; nodes hold what the mode of their last good run made. */
export function doubtMode({ mode }: View, records: ReadonlyMap<string, NodeRecord>): readonly Doubt[] {
  const others = [...records].filter(([, { outcome, view }]) => {
    return isGood(outcome) && view?.mode !== undefined && view.mode !== mode
  })
  const modes = new Set(others.map(([, { view }]) => view?.mode))
  return [...modes].map((other) => {
    const nodes = others.filter(([, { view }]) => view?.mode === other).map(([name]) => name)
    return {
      guard: 'mode',
      saw: `the view is of mode ${mode}, the last one of ${foldNames(nodes).join(',')} was of ${other}`,
    }
  })
}

/** The version is a hash of some of what the view holds: other content under the same version is not seen by the cloud. */
export function doubtVersion(view: ViewStamp, records: ReadonlyMap<string, NodeRecord>): readonly Doubt[] {
  const { version, digest } = view
  const served = [...records.values()].filter((record) => version !== undefined && record.view?.version === version)
  if (served.length === 0 || served.some((record) => record.view?.digest === digest)) return []
  return [{ guard: undefined, saw: `version ${version} was served before with other content (run ${served[0]?.run})` }]
}

const MOST_SHOWN = 10

function enumerate(names: readonly string[]): string {
  const more = names.length > MOST_SHOWN ? ` and ${names.length - MOST_SHOWN} more` : ''
  return names.slice(0, MOST_SHOWN).join(', ') + more
}
