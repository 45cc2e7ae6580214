/** Whether instances are where the rest of the view leads one to expect them: warnings. */

import { contains, formatCidr, type Ipv4, type Range, toNumber } from '../ipv4.ts'
import type { Cluster, Instance } from '../view.ts'
import type { ViewDocument } from './document.ts'
import type { Findings } from './findings.ts'

interface Home {
  readonly cluster: Cluster
  readonly hasInPool: (address: Ipv4) => boolean
}

export function checkInstances(document: ViewDocument, findings: Findings): void {
  const homes = homeByInstance(document.clusters)
  const prefixes = document.clusters.flatMap(({ macPrefix }) =>
    macPrefix === undefined ? [] : [`${macPrefix.toLowerCase()}:`],
  )
  const isPublic = inAnyOf(document.publicPool)

  for (const instance of document.instances) {
    const doubts = [
      doubtPlacement(instance, homes.get(instance.id)),
      doubtPublicAddress(instance, isPublic),
      doubtMac(instance, prefixes),
    ]
    for (const doubt of doubts) if (doubt !== undefined) findings.warning(findings.placeOf(instance), doubt)
  }
}

function homeByInstance(clusters: readonly Cluster[]): ReadonlyMap<string, Home> {
  const homes = clusters.flatMap((cluster) => {
    const home = { cluster, hasInPool: inAnyOf(cluster.privatePool) }
    return cluster.nodes.flatMap((node) => node.instances.map((id) => [id, home] as const))
  })
  return new Map(homes)
}

function inAnyOf(ranges: readonly Range[]): (address: Ipv4) => boolean {
  const bounds = ranges.map(({ first, last }) => [toNumber(first), toNumber(last)] as const)
  return (address) => {
    const value = toNumber(address)
    return bounds.some(([first, last]) => first <= value && value <= last)
  }
}

function doubtPlacement({ privateAddress }: Instance, home: Home | undefined): string | undefined {
  if (!home) return 'is on no node'
  const { name, subnet, privatePool } = home.cluster
  if (subnet && !contains(subnet.network, privateAddress)) {
    return `private address ${privateAddress} is not in ${formatCidr(subnet.network)} of cluster ${name}`
  }
  if (privatePool.length === 0 || home.hasInPool(privateAddress)) return undefined
  return `private address ${privateAddress} is not in privateIps of cluster ${name}`
}

function doubtPublicAddress({ publicAddress }: Instance, isPublic: (address: Ipv4) => boolean): string | undefined {
  if (!publicAddress || isPublic(publicAddress)) return undefined
  return `public address ${publicAddress} is not in publicIps`
}

/** MACs carry the prefix of the cloud, which in a cloud of several clusters is not always that of their own. */
function doubtMac({ mac }: Instance, prefixes: readonly string[]): string | undefined {
  if (mac === undefined) return 'has no MAC address'
  const isKnown = prefixes.length === 0 || prefixes.some((prefix) => mac.startsWith(prefix))
  return isKnown ? undefined : `MAC address ${mac} has no known prefix`
}
