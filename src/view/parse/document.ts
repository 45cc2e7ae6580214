/**
 * The whole document as it was written: every part that could be read, in its order, compared with nothing yet.
 *
 * The sections themselves have to be there. Every version writes them, if only as empty elements, so a document without
 * one is not a cloud without instances but something else, and reading it would take the network away.
 */

import type { Ipv4, Range } from '../ipv4.ts'
import type { Cluster, Instance, ManagedSubnet, SecurityGroup, Subnet } from '../view.ts'
import type { XmlElement } from '../xml.ts'
import { readCluster } from './cluster.ts'
import {
  field,
  items,
  list,
  listOfParts,
  named,
  optional,
  placeOf,
  required,
  requiredList,
  type Source,
} from './fields.ts'
import type { Findings } from './findings.ts'
import { ADDRESS, DOMAIN, RANGE, VERSION } from './forms.ts'
import { groupId } from './group-id.ts'
import { readInstance } from './instance.ts'
import { readManagedSubnet } from './managed-subnet.ts'
import { readMode, type SaidMode } from './mode.ts'
import { EVERYTHING, type Needs } from './needs.ts'
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
  readonly managedSubnet: Omit<ManagedSubnet, 'clusters'> | undefined
  readonly clusters: readonly Cluster[]
  readonly instances: readonly Instance[]
  readonly groups: readonly SecurityGroup[]
  /** Private addresses of instances that could not be read. */
  readonly withheld: readonly Ipv4[]
  /** How many instances could not be read, not even their private address. */
  readonly untraced: number
  /** Every group there is, also one that could not be read; undefined without a section of groups. */
  readonly groupNames: readonly GroupName[] | undefined
  readonly vpcElements: number
}

interface GroupName {
  readonly name: string
  /** Undefined if the name is none. */
  readonly id: string | undefined
}

export function readDocument(
  element: XmlElement,
  said: SaidMode | undefined,
  findings: Findings,
  needs: Needs = EVERYTHING,
): ViewDocument {
  const root: Source = { element, label: '', findings }
  const instances = section(root, 'instances', 'instance').map((instance) => readInstance(instance, findings, needs))
  const groups = section(root, 'securityGroups', 'securityGroup')
  const document = {
    ...readConfiguration(root, said, needs),
    version: readVersion(root),
    instances: instances.flatMap(({ instance }) => instance ?? []),
    groups: groups.flatMap((group) => readSecurityGroup(group, findings) ?? []),
    untraced: instances.filter(({ instance, privateAddress }) => !instance && !privateAddress).length,
    withheld: instances.flatMap(({ instance, privateAddress }) => (instance ? [] : (privateAddress ?? []))),
    groupNames: field(root, 'securityGroups') && groups.map(toGroupName),
    vpcElements:
      items(root, 'vpcs', 'vpc').length +
      items(root, 'internetGateways', 'internetGateway').length +
      items(root, 'dhcpOptionSets', 'dhcpOptionSet').length,
  }
  const { line, file } = field(root, 'configuration') ?? element
  return findings.place(document, { file, line, label: 'configuration' })
}

function readConfiguration(root: Source, said: SaidMode | undefined, needs: Needs) {
  const element = field(root, 'configuration')
  if (!element) root.findings.error(placeOf(root), 'configuration is missing')
  const empty: XmlElement = { ...root.element, children: [] }
  const source: Source = { ...root, element: element ?? empty, label: 'configuration' }
  return {
    mode: readMode(source, said),
    cloudController: (needs.cloudController ? required : optional)(source, 'enabledCLCIp', ADDRESS),
    dnsDomain: required(source, 'instanceDNSDomain', DOMAIN),
    dnsServers: (needs.dnsServers ? requiredList : list)(source, 'instanceDNSServers', ADDRESS),
    publicPool: listOfParts(source, 'publicIps', RANGE, 'range'),
    subnets: items(source, 'subnets', 'subnet').flatMap(
      (subnet) => readSubnet(named('subnet', subnet, root.findings)) ?? [],
    ),
    managedSubnet: readManagedSubnet(source),
    clusters: items(source, 'clusters', 'cluster').flatMap(
      (cluster) => readCluster(cluster, root.findings, needs) ?? [],
    ),
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

function toGroupName({ attributes }: XmlElement): GroupName {
  const name = attributes.name?.trim() ?? ''
  return { name, id: groupId(name) }
}
