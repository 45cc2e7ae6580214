/**
 * What a cluster controller holds: it is the router, the DHCP server and the packet filter of its cluster's instances.
 *
 * MANAGED has a bridge with a VLAN device for each group and its gateway on it; MANAGED-NOVLAN has all gateways on the
 * private interface. Everything else is the same.
 */

import { Unfit } from '../../error.ts'
import { formatCidr, formatRange, type Ipv4, netmask, parseIpv4 } from '../../view/ipv4.ts'
import type { Cluster, Instance, ManagedSubnet, View } from '../../view/view.ts'
import type { Facts, Node } from '../mode.ts'
import { type ChainRule, groupRules } from './group-rules.ts'
import { type Bridge, bridgeOf, type Gateway, gatewaysOf } from './links.ts'
import { groupsOf, instancesOf, type SegmentedGroup, segmentedGroups } from './members.ts'
import { broadcastOf, GATEWAYS, gatewayOf, positionOf } from './segments.ts'

export interface ControllerDesired {
  readonly node: string
  readonly hardened: boolean
  readonly network: string
  readonly metadata: string
  readonly groups: readonly GroupChain[]
  readonly addresses: readonly Ipv4[]
  readonly elastic: readonly { readonly public: Ipv4; readonly private: Ipv4 }[]
  readonly pool: readonly string[]
  readonly publicDevice: string
  readonly privateDevice: string
  readonly claimed: readonly string[]
  readonly bridges: readonly Bridge[]
  readonly gateways: readonly Gateway[]
  readonly routes: readonly { readonly network: string; readonly via: string }[]
  readonly dhcp: Dhcp
}

interface GroupChain {
  readonly id: string
  readonly segment: string
  readonly gateway: Ipv4
  readonly rules: readonly ChainRule[]
}

interface Dhcp {
  readonly serves: boolean
  readonly domain: string
  readonly servers: string
  readonly subnets: readonly Readonly<Record<'address' | 'netmask' | 'broadcast' | 'router', Ipv4>>[]
  readonly hosts: readonly { readonly address: Ipv4; readonly mac: string }[]
}

export interface Layout {
  /** Whether each group has a bridge and a VLAN of its own. */
  readonly vlans: boolean
}

export function controllerDesired(view: View, node: Node, facts: Facts, { vlans }: Layout): ControllerDesired {
  const { options } = node
  const hardened = node.profile === 'hardened'
  const subnet = managedSubnet(view)
  const cluster = clusterOf(view, node)
  const position = gatewayPosition(subnet, cluster, node, facts)
  const instances = instancesOf(view, cluster)
  const segmented = segmentedGroups(view, subnet)
  const own = groupsOf(segmented, instances)
  const bridged = hardened && !vlans
  const remote = bridged ? view.instances.filter((instance) => !instances.includes(instance)) : []
  const elsewhere = bridged ? segmented.filter((group) => !own.includes(group)) : []
  const privateDevice = options.VNET_PRIVINTERFACE ?? ''
  const device = (group: SegmentedGroup) => (vlans ? group.group.id : privateDevice)

  return {
    node: node.address,
    hardened,
    network: formatCidr(subnet.network),
    metadata: metadataAddress(view),
    groups: [...own, ...elsewhere].map((one) => ({
      id: one.group.id,
      segment: formatCidr(one.segment.network),
      gateway: gatewayOf(one.segment, position),
      rules: groupRules(one, { view, segmented, remote }),
    })),
    addresses: instances.map(({ privateAddress }) => privateAddress),
    elastic: instances.flatMap(({ publicAddress, privateAddress }) => {
      return publicAddress ? [{ public: publicAddress, private: privateAddress }] : []
    }),
    pool: view.publicPool.map(formatRange),
    publicDevice: options.VNET_PUBINTERFACE ?? '',
    privateDevice,
    claimed: vlans ? [] : [formatCidr(subnet.network)],
    bridges: vlans ? own.map((one) => bridgeOf(one, privateDevice)) : [],
    gateways: gatewaysOf(own, position, device),
    routes: elsewhere.flatMap((one) => routeTo(one, view, cluster)),
    dhcp: dhcpOf(view, instances, segmented, position),
  }
}

export function managedSubnet({ managedSubnet: subnet }: View): ManagedSubnet {
  if (!subnet) throw new Unfit('the view has no managed network')
  return subnet
}

function metadataAddress({ cloudController }: View): Ipv4 {
  if (!cloudController) throw new Unfit('the view has no cloud controller')
  return cloudController
}

function clusterOf({ clusters }: View, { address }: Node): Cluster {
  const cluster = clusters.find(({ controller }) => controller === address)
  if (!cluster) throw new Unfit(`the view has no cluster whose controller is ${address}`)
  return cluster
}

/**
 * Instances keep their router for as long as their lease lasts, so a controller never takes other gateways because the
 * list of clusters has changed: somebody has to say that it should.
 */
function gatewayPosition(subnet: ManagedSubnet, cluster: Cluster, { options }: Node, facts: Facts): number {
  const listed = subnet.clusters.indexOf(cluster.name)
  if (options.CLUSTER_POSITION) return Number(options.CLUSTER_POSITION)
  if (listed >= GATEWAYS) {
    throw new Unfit(
      `cluster ${cluster.name} is number ${listed + 1} of the view, and a segment has ${GATEWAYS} gateways: give it one of them that is free, CLUSTER_POSITION: 0 to ${GATEWAYS - 1}`,
    )
  }
  const held = heldPosition(subnet, facts)
  if (held === undefined || held === listed) return listed
  throw new Unfit(
    `it has gateways at position ${held}, and by the list of clusters it would have those at ${listed}: instances would lose their router until they renew their lease; say which it is, CLUSTER_POSITION: ${held} or ${listed}`,
  )
}

/** What the gateways that are there now say; undefined where there are none, or no two agree. */
function heldPosition(subnet: ManagedSubnet, { interfaces }: Facts): number | undefined {
  const addresses = Object.values(interfaces).flatMap((one) => one.addresses)
  const positions = addresses.flatMap((text) => {
    const [address = '', prefix] = text.split('/')
    const parsed = parseIpv4(address)
    const fits = Number(prefix) === 32 - Math.log2(subnet.segmentSize)
    return parsed && fits ? (positionOf(subnet, parsed) ?? []) : []
  })
  const [position] = positions
  return positions.every((one) => one === position) ? position : undefined
}

/** By way of a controller that has the group's gateway. */
function routeTo({ group, segment }: SegmentedGroup, view: View, own: Cluster): ControllerDesired['routes'] {
  const other = view.clusters.find((cluster) => {
    return cluster !== own && instancesOf(view, cluster).some(({ groups }) => groups.includes(group.id))
  })
  const via = other && parseIpv4(other.controller)
  return via ? [{ network: formatCidr(segment.network), via }] : []
}

function dhcpOf(
  { dnsDomain, dnsServers }: View,
  instances: readonly Instance[],
  segmented: readonly SegmentedGroup[],
  position: number,
): Dhcp {
  return {
    serves: instances.length > 0,
    domain: dnsDomain,
    servers: dnsServers.join(', '),
    subnets: segmented.map(({ segment }) => ({
      address: segment.network.address,
      netmask: netmask(segment.network),
      broadcast: broadcastOf(segment),
      router: gatewayOf(segment, position),
    })),
    hosts: instances.flatMap(({ mac, privateAddress }) => (mac ? [{ address: privateAddress, mac }] : [])),
  }
}
