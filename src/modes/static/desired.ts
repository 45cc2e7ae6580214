/**
 * What hosts hold in STATIC: the cluster's controller a DHCP server for the pairs that are somebody's, in the order of the
 * map; a node controller nothing.
 */

import { Unfit } from '../../error.ts'
import { broadcast, type Ipv4, netmask } from '../../view/ipv4.ts'
import type { Cluster, Subnet, View } from '../../view/view.ts'
import type { Node } from '../mode.ts'

interface ControllerDesired {
  readonly hosts: readonly Host[]
  readonly dhcp: {
    readonly subnet: Ipv4
    readonly netmask: Ipv4
    readonly broadcast: Ipv4
    readonly domain: string
    readonly servers: string
    readonly router: Ipv4
  }
}

interface Host {
  readonly mac: string
  readonly address: Ipv4
}

export function desired(view: View, node: Node): object {
  return node.role === 'cc' ? controllerDesired(view, node) : nodeDesired(view, node)
}

export function remains(): object {
  return {}
}

function nodeDesired({ clusters }: View, { address }: Node): object {
  if (clusters.some(({ nodes }) => nodes.some(({ name }) => name === address))) return {}
  throw new Unfit(`the view has no node ${address}`)
}

function controllerDesired(view: View, { address }: Node): ControllerDesired {
  const cluster = view.clusters.find(({ controller }) => controller === address)
  if (!cluster) throw new Unfit(`no cluster of the view has the controller ${address}`)
  const { network, gateway } = subnetOf(cluster)
  return {
    hosts: hostsOf(view, cluster),
    dhcp: {
      subnet: network.address,
      netmask: netmask(network),
      broadcast: broadcast(network),
      domain: view.dnsDomain,
      servers: view.dnsServers.join(','),
      router: gateway,
    },
  }
}

function subnetOf({ name, subnet }: Cluster): Subnet {
  if (!subnet) throw new Unfit(`cluster ${name} has no subnet`)
  return subnet
}

function hostsOf({ instances }: View, { nodes, privatePool }: Cluster): readonly Host[] {
  const local = new Set(nodes.flatMap((node) => node.instances))
  const place = new Map(privatePool.map(({ first }, index) => [first, index]))
  return instances
    .flatMap(({ id, mac, privateAddress }) => (local.has(id) && mac ? [{ mac, address: privateAddress }] : []))
    .toSorted((a, b) => (place.get(a.address) ?? 0) - (place.get(b.address) ?? 0))
}
