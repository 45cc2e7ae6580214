/** `edgepush check-config`: whether the cloud would take a network configuration document, and what it means. */

import { loadNetworkConfiguration } from '../config/network-configuration.ts'
import { EXIT, type ExitCode } from '../error.ts'
import {
  type ConfigurationSummary,
  checkConfiguration,
  countAddresses,
  summarize,
} from '../modes/check-configuration.ts'
import type { ClusterPlan, DeclaredSubnet } from '../modes/network-configuration.ts'
import { table } from '../report/table.ts'
import type { Terminal } from '../report/terminal.ts'
import { formatCidr, formatRange, type Range } from '../view/ipv4.ts'

export interface CheckConfigFlags {
  readonly json: boolean
}

export function checkConfig(file: string, { json }: CheckConfigFlags, terminal: Terminal, version: string): ExitCode {
  const { value, isJson } = loadNetworkConfiguration(file, 'the command line', checkConfiguration)
  const summary = summarize(value, isJson)
  terminal.out(json ? asJson(summary, version) : asText(summary))
  return EXIT.ok
}

function asText(summary: ConfigurationSummary): string {
  const { mode, since, until, publicIps, clusters, otherSubnets } = summary
  return table([
    ['mode', mode],
    ['taken by', versions(since, until)],
    ['public', pool(publicIps)],
    ...clusters.map((cluster, index) => [index === 0 ? 'clusters' : '', clusterText(cluster)]),
    ...(clusters.length === 0 ? [['clusters', 'every one that is registered']] : []),
    ...otherSubnets.map((subnet, index) => [index === 0 ? 'other subnets' : '', subnetText(subnet)]),
  ])
}

function versions(since: string, until: string | undefined): string {
  if (until === undefined) return since === '5' ? '5' : `${since} and later`
  return since === until ? since : `${since} to ${until}`
}

function clusterText({ name, subnet, privateIps }: ClusterPlan): string {
  return [name, ...(subnet ? [subnetText(subnet)] : []), ...(privateIps.length > 0 ? [pool(privateIps)] : [])].join(
    ', ',
  )
}

function subnetText({ network, gateway }: DeclaredSubnet): string {
  return network ? `${formatCidr(network)} gateway ${gateway}` : ''
}

function pool(ranges: readonly Range[]): string {
  const count = countAddresses(ranges)
  if (count === 0) return 'no addresses'
  return `${count} ${count === 1 ? 'address' : 'addresses'}: ${ranges.map(formatRange).join(' ')}`
}

function asJson(
  { mode, since, until, publicIps, clusters, otherSubnets }: ConfigurationSummary,
  version: string,
): string {
  const subnetOf = (subnet: DeclaredSubnet | undefined) => {
    return subnet?.network && { network: formatCidr(subnet.network), gateway: subnet.gateway }
  }
  const summary = {
    type: 'configuration',
    mode,
    since,
    until,
    public: { addresses: countAddresses(publicIps), ranges: publicIps.map(formatRange) },
    clusters: clusters.map(({ name, subnet, privateIps }) => {
      const own = { addresses: countAddresses(privateIps), ranges: privateIps.map(formatRange) }
      return { name, subnet: subnetOf(subnet), private: own }
    }),
    otherSubnets: otherSubnets.map(subnetOf),
  }
  const first = { type: 'edgepush', format: 1, version, command: 'check-config' }
  return `${JSON.stringify(first)}\n${JSON.stringify(summary)}\n`
}
