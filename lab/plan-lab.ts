// Who is in a lab and where: pure arithmetic, so that the same options always give the same addresses.
//
//   one network    public switch: nodes (br0), CLC, admin, router, VMs and elastic IPs, all on one L2
//   two networks   public switch: nodes (em1), CLC, admin, router, elastic IPs; one private switch per
//                  cluster: br0 of its nodes, VMs, one leg of the router (it routes between clusters)
//
// The outside host stands behind the router, on a switch of its own, in 192.0.2.0/24.

import {
  type ControllerPlan,
  type LabMode,
  planController,
  planManagedCluster,
  planManagedNode,
} from './plan-managed.ts'
import type { World } from './world.ts'

export interface LabOptions {
  /** EDGE if not given. The others have one network, and a controller for each cluster. */
  readonly mode?: LabMode
  /** In a virtual machine whose kernel has VLANs: guest/. Slow. */
  readonly guest?: boolean
  readonly nodes?: number
  readonly clusters?: 1 | 2
  readonly networks?: 'one' | 'two'
  /** Further lines of every node's eucalyptus.conf, for example { NC_PROXY: 'Y' }. */
  readonly options?: Readonly<Record<string, string>>
  /** What the cloud controller publishes at first; sampleWorld if not given. */
  readonly world?: World
  readonly onStep?: (text: string) => void
}

interface Leg {
  readonly device: string
  readonly switch: string
  readonly addresses: readonly string[]
  /** The kernel's choice if absent; a node's own, for the others remember it across its reboot. */
  readonly mac?: string
}

export interface HostPlan {
  readonly name: string
  readonly legs: readonly Leg[]
  /** Next hop of the default route. */
  readonly gateway?: string
}

export interface NodePlan extends HostPlan {
  readonly address: string
  readonly cluster: number
  readonly bridgeMac: string
  /** Addresses with prefix length, as they stand on br0. */
  readonly bridgeAddresses: readonly string[]
  readonly options: Readonly<Record<string, string>>
}

export interface ClusterPlan {
  readonly name: string
  readonly subnet: string
  readonly netmask: string
  readonly gateway: string
  readonly controller: string
  readonly firstInstance: string
  readonly lastInstance: string
}

export interface LabPlan {
  readonly mode: LabMode
  /** One for each cluster, in a mode that has them. */
  readonly controllers: readonly ControllerPlan[]
  readonly networks: 'one' | 'two'
  readonly switches: readonly string[]
  readonly clusters: readonly ClusterPlan[]
  readonly nodes: readonly NodePlan[]
  readonly clc: HostPlan & { readonly address: string }
  readonly admin: HostPlan & { readonly address: string }
  readonly router: HostPlan
  readonly outside: HostPlan & { readonly address: string }
  readonly publicPool: { readonly first: string; readonly last: string }
}

const nodesPerCluster = 200

export function planLab(options: LabOptions): LabPlan {
  const count = options.nodes ?? 3
  const networks = options.networks ?? 'one'
  const mode = options.mode ?? 'EDGE'
  const numbers = [1, 2].slice(0, options.clusters ?? 1)
  const clusters = numbers.map((number) =>
    mode === 'EDGE' ? planCluster(number, networks) : planManagedCluster(number),
  )
  if (count < clusters.length || count > nodesPerCluster * clusters.length) {
    throw new RangeError(`a lab of ${clusters.length} cluster(s) has no room for ${count} node(s)`)
  }
  const perCluster = Math.ceil(count / clusters.length)
  const nodes = Array.from({ length: count }, (_, index) => {
    const cluster = Math.floor(index / perCluster)
    if (mode !== 'EDGE') return planManagedNode(index + 1, cluster, mode)
    return planNode(index + 1, cluster, networks, options.options ?? {})
  })
  const privateSwitches = networks === 'two' ? clusters.map((_, index) => privateSwitch(index)) : []

  return {
    mode,
    controllers: mode === 'EDGE' ? [] : numbers.map(planController),
    networks,
    switches: ['public', ...privateSwitches, 'outside'],
    clusters,
    nodes,
    clc: planStation('clc-01', '10.111.5.10', 'public', '10.111.0.1', 16),
    admin: planStation('admin', '10.111.5.5', 'public', '10.111.0.1', 16),
    outside: planStation('outside', '192.0.2.7', 'outside', '192.0.2.1', 24),
    router: planRouter(mode === 'EDGE' ? clusters : clusters.slice(0, 1), networks),
    publicPool: { first: '10.111.200.1', last: '10.111.200.250' },
  }
}

/** The address `offset` after `address`. */
export function addressAfter(address: string, offset: number): string {
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + offset
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
}

function planCluster(number: number, networks: 'one' | 'two'): ClusterPlan {
  const net = networks === 'one' ? `10.${110 + number}` : `172.${15 + number}`
  const firstInstance = networks === 'one' ? `${net}.103.1` : `${net}.0.101`
  return {
    name: number === 1 ? 'one' : 'two',
    subnet: `${net}.0.0`,
    netmask: '255.255.0.0',
    gateway: `${net}.0.1`,
    controller: `10.111.5.${10 * number}`,
    firstInstance,
    lastInstance: addressAfter(firstInstance, 999),
  }
}

function planNode(
  number: number,
  cluster: number,
  networks: 'one' | 'two',
  options: Readonly<Record<string, string>>,
): NodePlan {
  const name = `nc-${String(number).padStart(2, '0')}`
  const one = networks === 'one'
  const address = addressAfter(one ? `10.${111 + cluster}.5.50` : '10.111.5.50', number)
  const inside = one ? address : addressAfter(`172.${16 + cluster}.5.50`, number)
  const uplink: Leg = { device: one ? 'eth0' : 'em2', switch: one ? 'public' : privateSwitch(cluster), addresses: [] }
  const low = `${hex(Math.floor((0x50 + number) / 256))}:${hex((0x50 + number) % 256)}`
  const outer: Leg = { device: 'em1', switch: 'public', addresses: [`${address}/16`], mac: `02:00:00:01:${low}` }
  return {
    name,
    address,
    cluster,
    legs: one ? [uplink] : [outer, uplink],
    gateway: one ? `10.${111 + cluster}.0.1` : '10.111.0.1',
    bridgeMac: `02:00:00:00:${low}`,
    bridgeAddresses: [`${inside}/16`],
    options: { VNET_BRIDGE: 'br0', VNET_PUBINTERFACE: one ? 'br0' : 'em1', VNET_PRIVINTERFACE: 'br0', ...options },
  }
}

function planRouter(clusters: readonly ClusterPlan[], networks: 'one' | 'two'): HostPlan {
  const inside = clusters.map((cluster) => `${cluster.gateway}/16`)
  const outer: Leg = { device: 'out', switch: 'outside', addresses: ['192.0.2.1/24'] }
  if (networks === 'one')
    return { name: 'router', legs: [{ device: 'pub', switch: 'public', addresses: inside }, outer] }

  const legs = inside.map((address, index) => ({
    device: `prv${index + 1}`,
    switch: privateSwitch(index),
    addresses: [address],
  }))
  return { name: 'router', legs: [{ device: 'pub', switch: 'public', addresses: ['10.111.0.1/16'] }, ...legs, outer] }
}

function planStation(name: string, address: string, to: string, gateway: string, prefix: number) {
  return { name, address, legs: [{ device: 'eth0', switch: to, addresses: [`${address}/${prefix}`] }], gateway }
}

function privateSwitch(cluster: number): string {
  return `private-${cluster + 1}`
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
