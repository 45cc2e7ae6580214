/** From the document to the View: sorted, complete, frozen. */

import { byAddress } from '../ipv4.ts'
import type { Cluster, View } from '../view.ts'
import type { ViewDocument } from './document.ts'

/** Undefined when something every view needs could not be read. */
export function assemble(document: ViewDocument): View | undefined {
  const { mode, version, cloudController, dnsDomain, dnsServers, publicPool, untraced, vpcElements } = document
  if (mode === undefined || dnsDomain === undefined) return undefined

  const instances = document.instances.toSorted((a, b) => byAddress(a.privateAddress, b.privateAddress))
  const taken = new Set(instances.map(({ privateAddress }) => privateAddress))
  const withheld = new Set(document.withheld.filter((address) => !taken.has(address)))
  const rank = new Map(instances.map(({ id }, index) => [id, index]))
  return freeze({
    mode,
    version,
    cloudController,
    dnsDomain,
    dnsServers,
    publicPool,
    managedSubnet: document.managedSubnet && {
      ...document.managedSubnet,
      clusters: document.clusters.map(({ name }) => name),
    },
    subnets: document.subnets.toSorted((a, b) => byAddress(a.network.address, b.network.address)),
    clusters: document.clusters.map((cluster) => sortNodes(cluster, rank)).toSorted((a, b) => byText(a.name, b.name)),
    instances,
    groups: document.groups.toSorted((a, b) => byText(a.id, b.id)),
    withheld: [...withheld].toSorted(byAddress),
    untraced,
    vpcElements,
  })
}

/** Nodes in order, and on each the instances that exist, in their order. */
function sortNodes(cluster: Cluster, rank: ReadonlyMap<string, number>): Cluster {
  const nodes = cluster.nodes.map(({ name, instances }) => {
    const known = instances.filter((id) => rank.has(id))
    return { name, instances: known.toSorted((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0)) }
  })
  return { ...cluster, nodes: nodes.toSorted((a, b) => byText(a.name, b.name)) }
}

/** By code unit: the same everywhere, whatever the locale. */
function byText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) freeze(part)
  return Object.freeze(value)
}
