/**
 * Writes a view the way cloud controllers do, for tests that read it back.
 *
 * `order` may put whatever the cloud's database orders into another order; the rest of the document stays as it is.
 */

import { formatCidr, formatRange, netmask } from '../../src/view/ipv4.ts'
import type { Cluster, IngressRule, Instance, SecurityGroup, Subnet, View, ViewNode } from '../../src/view/view.ts'

export interface Writing {
  /** 4.x leaves out what is not there; 5.x writes an empty element, and a type on every property. */
  readonly style: '4' | '5'
  /** Between elements and around values. */
  readonly blank: string
  /** How rules are written, structured if it does not say; as text, protocols go by name or by number. */
  readonly rules?: 'names' | 'numbers'
  /** As before 4.1: without mode and version, and without the sections that came later. */
  readonly isOldest?: boolean
  order<T>(values: readonly T[]): readonly T[]
}

export function writeView(view: View, writing: Writing): string {
  const { style, order } = writing
  const configuration = [
    writing.isOldest ? '' : property(writing, 'mode', [view.mode]),
    property(writing, 'publicIps', view.publicPool.map(formatRange)),
    property(writing, 'enabledCLCIp', view.cloudController ? [view.cloudController] : []),
    property(writing, 'instanceDNSDomain', [view.dnsDomain]),
    property(writing, 'instanceDNSServers', view.dnsServers),
    wrap(
      writing,
      'property name="subnets"',
      order(view.subnets).map((subnet) => writeSubnet(writing, subnet)),
    ),
    wrap(
      writing,
      'property name="clusters"',
      order(view.clusters).map((cluster) => writeCluster(writing, cluster)),
    ),
  ]
  const sections = [
    wrap(writing, 'configuration', configuration),
    writing.isOldest ? '' : wrap(writing, 'vpcs', []),
    wrap(
      writing,
      'instances',
      order(view.instances).map((instance) => writeInstance(writing, instance)),
    ),
    writing.isOldest ? '' : wrap(writing, 'dhcpOptionSets', []),
    writing.isOldest ? '' : wrap(writing, 'internetGateways', []),
    wrap(
      writing,
      'securityGroups',
      order(view.groups).map((group) => writeGroup(writing, group)),
    ),
  ]
  const version = view.version === undefined || writing.isOldest ? '' : ` version="${view.version}"`
  const declaration = style === '4' ? '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>' : ''
  return `${declaration}${wrap(writing, `network-data${version}`, sections)}`
}

function writeSubnet(writing: Writing, subnet: Subnet): string {
  return wrap(writing, `subnet name="${subnet.network.address}"`, [
    property(writing, 'subnet', [subnet.network.address]),
    property(writing, 'netmask', [netmask(subnet.network)]),
    property(writing, 'gateway', [subnet.gateway]),
  ])
}

function writeCluster(writing: Writing, cluster: Cluster): string {
  return wrap(writing, `cluster name="${cluster.name}"`, [
    cluster.subnet ? writeSubnet(writing, cluster.subnet) : '',
    property(writing, 'enabledCCIp', [cluster.controller]),
    property(writing, 'macPrefix', cluster.macPrefix === undefined ? [] : [cluster.macPrefix]),
    property(writing, 'privateIps', cluster.privatePool.map(formatRange)),
    wrap(
      writing,
      'property name="nodes"',
      writing.order(cluster.nodes).map((node) => writeNode(writing, node)),
    ),
  ])
}

function writeNode(writing: Writing, node: ViewNode): string {
  const ids = writing.order(node.instances).map((id) => element(writing, 'value', id))
  return wrap(writing, `node name="${node.name}"`, [wrap(writing, 'instanceIds', ids)])
}

function writeInstance(writing: Writing, instance: Instance): string {
  return wrap(writing, `instance name="${instance.id}"`, [
    element(writing, 'ownerId', instance.owner),
    element(writing, 'macAddress', instance.mac),
    element(writing, 'publicIp', instance.publicAddress),
    element(writing, 'privateIp', instance.privateAddress),
    element(writing, 'vpc', undefined),
    wrap(writing, 'networkInterfaces', []),
    wrap(
      writing,
      'securityGroups',
      instance.groups.map((group) => element(writing, 'value', group)),
    ),
  ])
}

function writeGroup(writing: Writing, group: SecurityGroup): string {
  const { rules } = writing
  const structured = group.ingress.map((rule) => writeRule(writing, rule))
  const texts = rules && group.ingress.map((rule) => element(writing, 'value', writeTextRule(rule, rules)))
  return wrap(writing, `securityGroup name="${group.id}"`, [
    element(writing, 'ownerId', group.owner),
    texts ? wrap(writing, 'rules', texts) : wrap(writing, 'ingressRules', structured),
    writing.isOldest ? '' : wrap(writing, 'egressRules', []),
  ])
}

/** Whether text can say it: it has no word for every port, and one source. */
export function hasText({ match, source }: IngressRule): boolean {
  if ('ports' in match && match.ports === 'all') return false
  return (source.group === undefined) !== (source.cidr === undefined)
}

function writeTextRule({ match, source }: IngressRule, rules: 'names' | 'numbers'): string {
  const from =
    source.group === undefined ? `-s ${source.cidr && formatCidr(source.cidr)}` : `-o ${source.group} -u 000000000001`
  const protocol = rules === 'names' ? match.protocol : ({ tcp: 6, udp: 17, icmp: 1 }[match.protocol] ?? match.protocol)
  if ('ports' in match)
    return match.ports === 'all' ? '' : `-P ${protocol} -p ${match.ports.from}-${match.ports.to}  ${from}`
  if (match.protocol !== 'icmp') return `-P ${protocol} ${from}`
  return `-P ${protocol} -t ${orAny(match.type)}:${orAny(match.code)}  ${from}`
}

function orAny(value: number | 'any'): number {
  return value === 'any' ? -1 : value
}

function writeRule(writing: Writing, { match, source }: IngressRule): string {
  const ports = 'ports' in match && match.ports !== 'all' ? match.ports : undefined
  const icmp = match.protocol === 'icmp' ? match : undefined
  return wrap(writing, 'rule', [
    element(writing, 'protocol', { tcp: 6, udp: 17, icmp: 1 }[match.protocol] ?? match.protocol),
    element(writing, 'fromPort', ports?.from),
    element(writing, 'toPort', ports?.to),
    element(writing, 'icmpType', icmp?.type === 'any' ? -1 : icmp?.type),
    element(writing, 'icmpCode', icmp?.code === 'any' ? -1 : icmp?.code),
    element(writing, 'groupId', source.group),
    element(writing, 'groupOwnerId', source.group && '000000000001'),
    element(writing, 'cidr', source.cidr && formatCidr(source.cidr)),
  ])
}

function property(writing: Writing, name: string, values: readonly string[]): string {
  return wrap(
    writing,
    `property name="${name}"`,
    values.map((value) => element(writing, 'value', value)),
  )
}

function element({ style, blank }: Writing, name: string, value: string | number | undefined): string {
  if (value === undefined) return style === '4' ? '' : `<${name}/>`
  return `<${name}>${blank}${value}${blank}</${name}>`
}

function wrap({ style, blank }: Writing, start: string, parts: readonly string[]): string {
  const [name] = start.split(' ')
  const typed = style === '5' && name === 'property' ? start.replace('property', 'property type="simple"') : start
  return parts.length === 0 ? `<${typed}/>` : `<${typed}>${blank}${parts.join(blank)}${blank}</${name}>`
}
