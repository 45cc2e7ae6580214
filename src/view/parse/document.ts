/**
 * The whole document as it was written: every part that could be read, in its order, compared with nothing yet.
 *
 * The sections themselves have to be there. Every version writes them, if only as empty elements, so a document without
 * one is not a cloud without instances but something else, and reading it would take the network away.
 */

import type { Ipv4, Range } from '../ipv4.ts'
import type { Cluster, Instance, SecurityGroup, Subnet } from '../view.ts'
import type { XmlElement } from '../xml.ts'
import { readCluster } from './cluster.ts'
import { field, items, list, named, placeOf, required, requiredList, type Source } from './fields.ts'
import type { Findings } from './findings.ts'
import { ADDRESS, DOMAIN, MODE, RANGE, VERSION } from './forms.ts'
import { readInstance } from './instance.ts'
import { quote } from './quote.ts'
import { readSecurityGroup } from './security-group.ts'
import { readSubnet } from './subnet.ts'

export interface ViewDocument {
  readonly mode: string | undefined
  readonly version: string | undefined
  readonly cloudController: Ipv4 | undefined
  readonly dnsDomain: string | undefined
  readonly dnsServers: readonly Ipv4[]
  readonly publicPool: readonly Range[]
  readonly subnets: readonly Subnet[]
  readonly clusters: readonly Cluster[]
  readonly instances: readonly Instance[]
  readonly groups: readonly SecurityGroup[]
  readonly vpcElements: number
}

export function readDocument(element: XmlElement, findings: Findings): ViewDocument {
  const root: Source = { element, label: '', findings }
  const configuration = readConfiguration(root)
  const document = {
    ...configuration,
    version: readVersion(root),
    instances: section(root, 'instances', 'instance').flatMap((instance) => readInstance(instance, findings) ?? []),
    groups: section(root, 'securityGroups', 'securityGroup').flatMap(
      (group) => readSecurityGroup(group, findings) ?? [],
    ),
    vpcElements:
      items(root, 'vpcs', 'vpc').length +
      items(root, 'internetGateways', 'internetGateway').length +
      items(root, 'dhcpOptionSets', 'dhcpOptionSet').length,
  }
  return findings.place(document, { line: field(root, 'configuration')?.line ?? element.line, label: 'configuration' })
}

function readConfiguration(root: Source) {
  const element = field(root, 'configuration')
  if (!element) root.findings.error(placeOf(root), 'configuration is missing')
  const empty: XmlElement = { ...root.element, children: [] }
  const source: Source = { ...root, element: element ?? empty, label: 'configuration' }
  return {
    mode: required(source, 'mode', MODE),
    cloudController: required(source, 'enabledCLCIp', ADDRESS),
    dnsDomain: required(source, 'instanceDNSDomain', DOMAIN),
    dnsServers: requiredList(source, 'instanceDNSServers', ADDRESS),
    publicPool: list(source, 'publicIps', RANGE),
    subnets: items(source, 'subnets', 'subnet').flatMap(
      (subnet) => readSubnet(named('subnet', subnet, root.findings)) ?? [],
    ),
    clusters: items(source, 'clusters', 'cluster').flatMap((cluster) => readCluster(cluster, root.findings) ?? []),
  }
}

/** For display only, so a strange one does no harm as long as it is not shown. */
function readVersion(root: Source): string | undefined {
  const text = root.element.attributes.version?.trim()
  if (!text || VERSION.read(text)) return text || undefined
  return root.findings.warning(placeOf(root), `version ${quote(text)} is not ${VERSION.is}`)
}

function section(root: Source, name: string, tag: string): readonly XmlElement[] {
  if (!field(root, name)) root.findings.error(placeOf(root), `${name} is missing`)
  return items(root, name, tag)
}
