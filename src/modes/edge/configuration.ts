/**
 * A cluster has a subnet of its own, or names one of Subnets, or there is just one; it has private addresses, or those at
 * the top, or else every host of its subnet but the gateway. All private addresses lie in the subnet.
 */

import { broadcast, contains, formatCidr, formatRange, type Range, toIpv4, toNumber } from '../../view/ipv4.ts'
import type {
  ClusterPlan,
  ConfigurationDefect,
  ConfigurationRules,
  DeclaredCluster,
  DeclaredRange,
  DeclaredSubnet,
  NetworkConfiguration,
} from '../network-configuration.ts'

const COMPLETE = ['Subnet', 'Netmask', 'Gateway']

export const edgeConfiguration: ConfigurationRules = { mode: 'EDGE', since: '4.1', defects, clusters }

function defects(configuration: NetworkConfiguration): readonly ConfigurationDefect[] {
  const { managedSubnet, clusters: declared, subnets } = configuration
  const managed = { path: [], atKey: 'ManagedSubnet', problem: 'ManagedSubnet does not belong to mode EDGE' }
  const single = {
    path: [],
    problem: `without Clusters there must be a single subnet in Subnets, not ${subnets.length}`,
  }
  return [
    ...(managedSubnet ? [managed] : []),
    ...(declared.length === 0 && subnets.length !== 1 ? [single] : []),
    ...declared.flatMap((cluster) => clusterDefects(cluster, configuration)),
    ...rangeDefects(configuration),
  ]
}

function clusterDefects(cluster: DeclaredCluster, { subnets }: NetworkConfiguration): readonly ConfigurationDefect[] {
  const { path, subnet, name } = cluster
  if (!subnet) {
    if (subnets.length === 1) return []
    const problem = `Subnet of cluster ${JSON.stringify(name)} is missing, because there are ${subnets.length} in Subnets`
    return [{ path, problem }]
  }
  const isReference = subnet.keys.every((key) => key === 'Name')
  if (!isReference) {
    const missing = COMPLETE.filter((key) => !subnet.keys.includes(key))
    return missing.map((key) => ({
      path: subnet.path,
      problem: `key "${key}" is missing: a subnet is whole, or only a Name`,
    }))
  }
  if (subnetOf(cluster, subnets) || subnet.name === undefined) return []
  const known = subnets.flatMap((one) => nameOf(one) ?? []).join(', ') || 'none'
  return [
    {
      path: [...subnet.path, 'Name'],
      problem: `no subnet is called ${JSON.stringify(subnet.name)}; in Subnets: ${known}`,
    },
  ]
}

/** Ranges of a cluster and, for clusters without, those at the top. */
function rangeDefects({
  clusters: declared,
  subnets,
  privateIps,
}: NetworkConfiguration): readonly ConfigurationDefect[] {
  const plain = declared.length === 0 ? [{ name: undefined, subnet: subnets[0], ranges: privateIps }] : []
  const of = declared.map((cluster) => {
    return { name: cluster.name, subnet: subnetOf(cluster, subnets), ranges: cluster.privateIps ?? privateIps }
  })
  return [...plain, ...of].flatMap(({ name, subnet, ranges }) => {
    const cidr = subnet?.network
    if (!cidr) return []
    const outside = ranges.filter(({ range }) => !contains(cidr, range.first) || !contains(cidr, range.last))
    const whose = name === undefined ? '' : ` of cluster ${JSON.stringify(name)}`
    return outside.map(({ path, range }: DeclaredRange) => ({
      path,
      problem: `${formatRange(range)} is not in ${formatCidr(cidr)}${whose}`,
    }))
  })
}

function clusters({ clusters: declared, subnets, privateIps }: NetworkConfiguration): readonly ClusterPlan[] {
  return declared.map((cluster) => {
    const subnet = subnetOf(cluster, subnets)
    const ranges = (cluster.privateIps ?? privateIps).map(({ range }) => range)
    return { name: cluster.name ?? '', subnet, privateIps: ranges.length > 0 ? ranges : hostsOf(subnet) }
  })
}

function subnetOf({ subnet }: DeclaredCluster, subnets: readonly DeclaredSubnet[]): DeclaredSubnet | undefined {
  if (!subnet) return subnets.length === 1 ? subnets[0] : undefined
  return subnet.address ? subnet : subnets.find((one) => nameOf(one) === subnet.name)
}

/** A subnet without a name is called by its address. */
function nameOf({ name, address }: DeclaredSubnet): string | undefined {
  return name ?? address
}

function hostsOf(subnet: DeclaredSubnet | undefined): readonly Range[] {
  if (!subnet?.network || !subnet.gateway) return []
  const [first, gateway, last] = [subnet.network.address, subnet.gateway, broadcast(subnet.network)].map(toNumber)
  if (first === undefined || gateway === undefined || last === undefined) return []
  return [[first + 1, gateway - 1] as const, [gateway + 1, last - 1] as const].flatMap(([from, to]) =>
    from <= to ? [{ first: toIpv4(from), last: toIpv4(to) }] : [],
  )
}
