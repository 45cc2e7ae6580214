/**
 * What is wrong with a network configuration document: with its subnets whatever the mode, and what its mode does not
 * allow. The cloud names the first defect and keeps the old document; here all of them are named.
 */

import { broadcast, contains, formatCidr, type Range, toNumber } from '../view/ipv4.ts'
import { CONFIGURATION_RULES } from './configuration-rules.ts'
import { versionsOf } from './configuration-versions.ts'
import type {
  ClusterPlan,
  ConfigurationDefect,
  ConfigurationRules,
  DeclaredSubnet,
  NetworkConfiguration,
} from './network-configuration.ts'
import { readConfiguration } from './read-configuration.ts'

/** What a document without defects means. */
export interface ConfigurationSummary {
  readonly mode: string
  /** The first and the last version of the cloud that take it; no last one is every later one. */
  readonly since: string
  readonly until: string | undefined
  readonly publicIps: readonly Range[]
  readonly clusters: readonly ClusterPlan[]
  /** Those that no cluster has. */
  readonly otherSubnets: readonly DeclaredSubnet[]
}

/** `isJson` is whether versions that know nothing else can read it. */
export function checkConfiguration(document: unknown, isJson: boolean): readonly ConfigurationDefect[] {
  const configuration = readConfiguration(document)
  const rules = rulesOf(configuration.mode)
  const { subnets, managedSubnet, clusters } = configuration
  const declared = [
    ...subnets,
    ...clusters.flatMap(({ subnet }) => subnet ?? []),
    ...(managedSubnet ? [managedSubnet] : []),
  ]
  const defects = [...declared.flatMap(subnetDefects), ...namesakes(configuration)]
  if (!rules) return [...defects, unknownMode(configuration.mode)]
  const { since, until } = versionsOf(configuration, rules, isJson)
  const unread = until !== undefined && toNumbers(since) > toNumbers(until)
  const nobody = {
    path: [],
    problem: `no version takes it: part of it came with ${since}, and part is gone after ${until}`,
  }
  return [...defects, ...rules.defects(configuration), ...(unread ? [nobody] : [])]
}

export function summarize(document: unknown, isJson: boolean): ConfigurationSummary {
  const configuration = readConfiguration(document)
  const rules = rulesOf(configuration.mode)
  if (!rules) throw new Error(`a document of mode ${configuration.mode} was found sound`)
  const clusters = rules.clusters(configuration)
  const used = new Set(clusters.flatMap(({ subnet }) => (subnet?.network ? formatCidr(subnet.network) : [])))
  return {
    mode: configuration.mode,
    ...versionsOf(configuration, rules, isJson),
    publicIps: configuration.publicIps.map(({ range }) => range),
    clusters,
    otherSubnets: configuration.subnets.filter(({ network }) => network && !used.has(formatCidr(network))),
  }
}

function rulesOf(mode: string): ConfigurationRules | undefined {
  return CONFIGURATION_RULES.find((rules) => rules.mode === mode)
}

function unknownMode(mode: string): ConfigurationDefect {
  const known = CONFIGURATION_RULES.map((rules) => rules.mode).join(', ')
  return { path: ['Mode'], problem: `there is no mode ${JSON.stringify(mode)}; there are ${known}` }
}

function subnetDefects({ path, address, netmask, gateway, network }: DeclaredSubnet): readonly ConfigurationDefect[] {
  if (!address || !netmask) return []
  if (!network) return [{ path: [...path, 'Netmask'], problem: `${netmask} is not a netmask` }]
  const shown = formatCidr(network)
  const bits =
    network.address === address
      ? []
      : [{ path: [...path, 'Subnet'], problem: `${address} has bits set that its netmask clears: ${shown}` }]
  if (!gateway) return bits
  const isEdge = gateway === network.address || gateway === broadcast(network)
  if (contains(network, gateway) && !(isEdge && network.prefix < 31)) return bits
  return [...bits, { path: [...path, 'Gateway'], problem: `${gateway} is not a host of ${shown}` }]
}

/** The cloud would take both, and its view would then be refused. */
function namesakes({ clusters }: NetworkConfiguration): readonly ConfigurationDefect[] {
  const names = clusters.map(({ name }) => name)
  return clusters.flatMap(({ path, name }, index) => {
    if (name === undefined || names.indexOf(name) === index) return []
    return [{ path: [...path, 'Name'], problem: `${JSON.stringify(name)} is the name of another cluster` }]
  })
}

/** `4.1.1` is more than `4.1` and less than `4.2`. */
function toNumbers(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  return (major * 100 + minor) * 100 + patch
}

/** How many addresses there are in ranges, each counted once. */
export function countAddresses(ranges: readonly Range[]): number {
  let counted = 0
  let next = 0
  for (const { first, last } of ranges.toSorted((a, b) => toNumber(a.first) - toNumber(b.first))) {
    const from = Math.max(next, toNumber(first))
    if (toNumber(last) < from) continue
    counted += toNumber(last) - from + 1
    next = toNumber(last) + 1
  }
  return counted
}
