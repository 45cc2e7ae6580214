/**
 * What one node controller holds in EDGE: selection and arithmetic only. Text and order of rules are in templates/edge.
 *
 * Everything here is a function of the view, the node's options and two facts (the bridge's MAC, and for
 * NC_ROUTER_IP=AUTO its addresses). Lists follow the view's order; sets are sorted.
 */

import { Unfit } from '../../error.ts'
import { broadcast, formatCidr, formatRange, type Ipv4, netmask } from '../../view/ipv4.ts'
import type { Cluster, Instance, SecurityGroup, Subnet, View } from '../../view/view.ts'
import type { Facts, Interface, Node } from '../mode.ts'
import { type AddressSet, permittingSets, refuseUnguarded, restrictingSets, versions } from './address-sets.ts'
import { cloudOf } from './cloud.ts'
import { type Gateway, gatewayOf } from './gateway.ts'
import { type ChainRule, groupRules } from './group-rules.ts'
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
  const { cluster, instances: local } = homeOf(view, node)
  const subnet = subnetOf(cluster)
  const bridge = bridgeOf(node, facts)
  const gateway = gatewayOf(node, subnet, bridge)
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
    restrictingSets: restrictingSets(view, local, gateway.address, facts),
    permittingSets: permittingSets(view, union(groups, referenced), gateway.address),
    groups: groups.map((group) => ({ id: group.id, rules: groupRules(group, view, local) })),
    instances: local.map(localInstance),
    elastic: local.flatMap(elastic),
    privateOnly: local.filter((instance) => elastic(instance).length === 0).map(({ privateAddress }) => privateAddress),
    metadata: {
      address: metadataAddress(view, node),
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
    versions: versions(facts),
  }
}

function poolOf({ publicPool }: View, device: string): EdgeDesired['pool'] {
  return publicPool.map((range) => ({ range: formatRange(range), device }))
}

function metadataAddress({ cloudController }: View, { options }: Node): string {
  const address = options.METADATA_IP || cloudController
  if (address === undefined) throw new Unfit('the view has no cloud controller, and METADATA_IP is not set')
  return address
}

function homeOf(view: View, { address }: Node) {
  const home = cloudOf(view).homes.get(address)
  if (!home) throw new Unfit(`the view has no node ${address}`)
  return home
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

/** In order of first appearance; ids that the view does not define are left out. */
function knownGroups(view: View, ids: readonly string[]): readonly SecurityGroup[] {
  return [...new Set(ids)].flatMap((id) => cloudOf(view).groups.get(id) ?? [])
}

function sourceGroups(group: SecurityGroup): readonly string[] {
  return group.ingress.flatMap(({ source }) => source.group ?? [])
}

function union(a: readonly SecurityGroup[], b: readonly SecurityGroup[]): readonly SecurityGroup[] {
  return [...new Set([...a, ...b])]
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
