/**
 * What one node controller holds in EDGE: selection and arithmetic only. Text and order of rules are in templates/edge.
 *
 * Everything here is a function of the view, the node's options and two facts (the bridge's MAC, and for
 * NC_ROUTER_IP=AUTO its addresses). Lists follow the view's order; sets are sorted.
 */

import { Unfit } from '../../error.ts'
import { broadcast, byAddress, formatCidr, formatRange, type Ipv4, netmask } from '../../view/ipv4.ts'
import type { Cluster, Instance, SecurityGroup, Subnet, View } from '../../view/view.ts'
import type { Facts, Interface, Node } from '../mode.ts'
import { type Gateway, gatewayOf } from './gateway.ts'
import { type ChainRule, groupRules } from './group-rules.ts'
import { allPrivate, privateAddresses, refuseUnguarded } from './private-addresses.ts'
import { runFolder } from './run-folder.ts'

export interface EdgeDesired {
  readonly node: string
  readonly hardened: boolean
  readonly network: string
  readonly gateway: Gateway
  readonly bridgeMac: string
  readonly restrictingSets: readonly AddressSet[]
  readonly permittingSets: readonly AddressSet[]
  readonly groups: readonly GroupChain[]
  readonly instances: readonly LocalInstance[]
  readonly elastic: readonly Elastic[]
  readonly privateOnly: readonly Ipv4[]
  readonly metadata: { readonly address: string; readonly keepsPrivateSource: boolean }
  readonly proxy: boolean
  readonly isolation: boolean
  readonly pool: readonly { readonly range: string; readonly device: string }[]
  readonly publicDevice: string
  readonly dhcp: Dhcp
}

interface AddressSet {
  readonly name: string
  readonly members: readonly string[]
}

interface GroupChain {
  readonly id: string
  readonly rules: readonly ChainRule[]
}

interface LocalInstance {
  readonly id: string
  readonly device: string
  readonly mac: string
  /** Without a MAC there are no bridge rules for it, and the last rule drops everything. */
  readonly hasMac: boolean
  readonly address: Ipv4
}

interface Elastic {
  readonly public: Ipv4
  readonly private: Ipv4
}

interface Dhcp {
  readonly folder: string
  readonly subnet: Ipv4
  readonly netmask: Ipv4
  readonly broadcast: Ipv4
  readonly domain: string
  readonly servers: string
}

const NO_MAC = '00:00:00:00:00:00'

export function desired(view: View, node: Node, facts: Facts): EdgeDesired {
  const { options } = node
  refuseUnguarded(view, node)
  const cluster = clusterOf(view, node)
  const subnet = subnetOf(cluster)
  const bridge = bridgeOf(node, facts)
  const gateway = gatewayOf(node, subnet, bridge)
  const local = localInstances(view, cluster, node)
  const groups = knownGroups(
    view,
    local.flatMap((instance) => instance.groups),
  )
  const referenced = knownGroups(view, groups.flatMap(sourceGroups))
  const device = options.VNET_PUBINTERFACE ?? ''

  return {
    node: node.address,
    hardened: node.profile === 'hardened',
    network: formatCidr(subnet.network),
    gateway,
    bridgeMac: bridge.mac,
    restrictingSets: [
      { name: 'EUCA_ALLPRIVATE', members: sorted([...allPrivate(view), gateway.address], networks(view)) },
      { name: 'EUCA_NCPRIVATE', members: ncPrivate(local) },
      ...versionSet(facts),
    ],
    permittingSets: union(groups, referenced)
      .map((group) => ({ name: group.id, members: sorted([gateway.address, ...memberAddresses(view, group)], []) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    groups: groups.map((group) => ({ id: group.id, rules: groupRules(group, view, local) })),
    instances: local.map(localInstance),
    elastic: local.flatMap(elastic),
    privateOnly: local.filter((instance) => elastic(instance).length === 0).map(({ privateAddress }) => privateAddress),
    metadata: {
      address: options.METADATA_IP || view.cloudController,
      keepsPrivateSource: options.METADATA_USE_VM_PRIVATE === 'Y',
    },
    proxy: options.NC_PROXY === 'Y',
    isolation: options.DISABLE_L2_ISOLATION !== 'Y',
    pool: poolOf(view, device),
    publicDevice: device,
    dhcp: {
      folder: runFolder(options),
      subnet: subnet.network.address,
      netmask: netmask(subnet.network),
      broadcast: broadcast(subnet.network),
      domain: view.dnsDomain,
      servers: view.dnsServers.join(', '),
    },
  }
}

/** A node that is flushed still has to know which addresses were the cloud's. */
export function remains(view: View | undefined, { options }: Node, facts: Facts): object {
  return {
    pool: view ? poolOf(view, options.VNET_PUBINTERFACE ?? '') : [],
    versions: versionSet(facts).flatMap(({ members }) => members),
  }
}

function poolOf({ publicPool }: View, device: string): EdgeDesired['pool'] {
  return publicPool.map((range) => ({ range: formatRange(range), device }))
}

function clusterOf(view: View, node: Node): Cluster {
  const cluster = view.clusters.find(({ nodes }) => nodes.some(({ name }) => name === node.address))
  if (!cluster) throw new Unfit(`the view has no node ${node.address}`)
  return cluster
}

function subnetOf(cluster: Cluster): Subnet {
  if (!cluster.subnet) throw new Unfit(`cluster ${cluster.name} has no subnet`)
  return cluster.subnet
}

function bridgeOf(node: Node, facts: Facts): Interface {
  const name = node.options.VNET_BRIDGE ?? ''
  const bridge = facts.interfaces[name]
  if (bridge) return bridge
  const others = Object.keys(facts.interfaces).join(', ') || 'none'
  throw new Unfit(`there is no bridge ${name} (VNET_BRIDGE); interfaces there: ${others}`)
}

function localInstances(view: View, cluster: Cluster, node: Node): readonly Instance[] {
  const ids = new Set(cluster.nodes.find(({ name }) => name === node.address)?.instances)
  return view.instances.filter(({ id }) => ids.has(id))
}

/** In order of first appearance; ids that the view does not define are left out. */
function knownGroups(view: View, ids: readonly string[]): readonly SecurityGroup[] {
  const byId = new Map(view.groups.map((group) => [group.id, group]))
  return [...new Set(ids)].flatMap((id) => byId.get(id) ?? [])
}

function sourceGroups(group: SecurityGroup): readonly string[] {
  return group.ingress.flatMap(({ source }) => source.group ?? [])
}

function union(a: readonly SecurityGroup[], b: readonly SecurityGroup[]): readonly SecurityGroup[] {
  return [...new Set([...a, ...b])]
}

function networks(view: View): readonly string[] {
  return view.subnets.map(({ network }) => formatCidr(network))
}

/** A node without instances still has to say which addresses are its own: none that a packet could have. */
function ncPrivate(local: readonly Instance[]): readonly string[] {
  return local.length > 0 ? sorted(privateAddresses(local), []) : ['127.0.0.1']
}

function memberAddresses(view: View, group: SecurityGroup): readonly Ipv4[] {
  return view.instances
    .filter(({ groups }) => groups.includes(group.id))
    .flatMap(({ privateAddress, publicAddress }) =>
      publicAddress ? [privateAddress, publicAddress] : [privateAddress],
    )
}

/** eucanetd refuses to start on a node whose set says a newer version than its own, so the set says what is installed. */
function versionSet({ eucalyptusVersion }: Facts): readonly AddressSet[] {
  if (!eucalyptusVersion) return []
  const [major = 0, minor = 0, patch = 0] = (eucalyptusVersion.match(/\d+/g) ?? []).map(Number)
  return [{ name: 'EUCA_VERSION', members: [`${major}.${minor}.${patch}.0`] }]
}

function sorted(addresses: readonly Ipv4[], networksLast: readonly string[]): readonly string[] {
  return [...[...new Set(addresses)].sort(byAddress), ...[...new Set(networksLast)].sort()]
}

function localInstance({ id, mac, privateAddress }: Instance): LocalInstance {
  return { id, device: deviceOf(id), mac: mac ?? NO_MAC, hasMac: mac !== undefined, address: privateAddress }
}

/** The name that the node controller gives the instance's port: `vn_` and eight digits of the id. */
function deviceOf(id: string): string {
  return `vn_${id.slice(0, 'i-'.length + 8)}`
}

/** An instance whose public address is its private one needs no translation. */
function elastic({ publicAddress, privateAddress }: Instance): readonly Elastic[] {
  return publicAddress && publicAddress !== privateAddress ? [{ public: publicAddress, private: privateAddress }] : []
}
