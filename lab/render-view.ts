// A world as the XML the cloud controller would publish: in the style of version 5, or of 4.3 where only that has the mode.

import { createHash } from 'node:crypto'
import { addressAfter, type ClusterPlan, type LabPlan, type NodePlan } from './plan-lab.ts'
import { type LabMode, managedNetwork } from './plan-managed.ts'
import type { Rule, World } from './world.ts'

/** An instance with everything the cloud would have decided. */
export interface PlacedInstance {
  readonly id: string
  readonly node: NodePlan
  readonly address: string
  readonly mac: string
  readonly publicAddress?: string
  readonly groups: readonly string[]
}

export type Place = (world: World) => readonly PlacedInstance[]

const owner = '000111222333'

/** Gives out addresses. It remembers, so that an instance keeps its address when others come and go. */
export function addressBook(plan: LabPlan): Place {
  const book = new Map<string, string>()

  function next(kind: string, id: string, first: string): string {
    const key = `${kind} ${id}`
    const known = book.get(key)
    if (known) return known
    const taken = [...book.keys()].filter((other) => other.startsWith(`${kind} `)).length
    const address = addressAfter(first, taken)
    book.set(key, address)
    return address
  }

  /** A group has its tag from when it is first named, and its members the next free places in its segment. */
  function managed(id: string, group: string): string {
    const { address, size, firstInstance, firstTag } = managedNetwork
    const tags = [...book.keys()].filter((key) => key.startsWith('group ')).length
    const tag = Number(book.get(`group ${group}`) ?? firstTag + tags)
    book.set(`group ${group}`, String(tag))
    return next(group, id, addressAfter(address, size * (tag - 2) + firstInstance))
  }

  function place(world: World): readonly PlacedInstance[] {
    return Object.entries(world.instances).map(([id, instance]) => {
      const node = plan.nodes.find(({ name }) => name === instance.node)
      const cluster = node && plan.clusters[node.cluster]
      if (!cluster) throw new Error(`${id}: the lab has no node ${instance.node}`)
      const chosen = instance.public === true ? next('public', id, plan.publicPool.first) : instance.public
      return {
        id,
        node,
        address: instance.address ?? privateAddress(id, instance.groups[0] ?? '', cluster),
        mac: instance.mac ?? `d0:0d:${id.slice(2, 10).replace(/(..)(?=.)/g, '$1:')}`,
        ...(chosen ? { publicAddress: chosen } : {}),
        groups: instance.groups,
      }
    })
  }

  function privateAddress(id: string, group: string, cluster: ClusterPlan): string {
    return plan.mode === 'EDGE' ? next(cluster.name, id, cluster.firstInstance) : managed(id, group)
  }

  return place
}

export function renderView(plan: LabPlan, world: World, instances: readonly PlacedInstance[]): string {
  const body = [
    tag('configuration', configuration(plan, instances)),
    '<vpcs/>',
    tag('instances', instances.map(instanceElement).join('')),
    '<dhcpOptionSets/><internetGateways/>',
    tag('securityGroups', Object.entries(world.groups).map(groupElement).join('')),
  ].join('')
  const version = createHash('sha256').update(body).digest('hex').slice(0, 8)
  return `<network-data version="${version}">${body}</network-data>\n`
}

function configuration(plan: LabPlan, instances: readonly PlacedInstance[]): string {
  const clusters = plan.clusters.map((cluster, index) => {
    const nodes = plan.nodes.filter((node) => node.cluster === index)
    return clusterElement(cluster, nodes, instances, plan.mode)
  })
  return [
    property('mode', [plan.mode]),
    property('publicIps', [`${plan.publicPool.first}-${plan.publicPool.last}`]),
    property('enabledCLCIp', [plan.clc.address]),
    property('instanceDNSDomain', ['eucalyptus.internal']),
    property('instanceDNSServers', [plan.clc.address]),
    ...(plan.mode === 'EDGE' ? [] : [managedSubnet()]),
    `<property type="cluster" name="clusters">${clusters.join('')}</property>`,
  ].join('')
}

function clusterElement(
  cluster: ClusterPlan,
  nodes: readonly NodePlan[],
  instances: readonly PlacedInstance[],
  mode: LabMode,
): string {
  const nodeElements = nodes.map((node) => {
    const ids = instances.filter((instance) => instance.node === node).map(({ id }) => tag('value', id))
    return `<node name="${node.address}">${tag('instanceIds', ids.join(''))}</node>`
  })
  const subnet =
    property('subnet', [cluster.subnet]) +
    property('netmask', [cluster.netmask]) +
    property('gateway', [cluster.gateway])
  const hasOwn = mode === 'EDGE'
  return [
    `<cluster name="${cluster.name}">`,
    ...(hasOwn ? [`<subnet name="${cluster.subnet}">${subnet}</subnet>`] : []),
    property('enabledCCIp', [cluster.controller]),
    property('macPrefix', ['d0:0d']),
    ...(hasOwn ? [property('privateIps', [`${cluster.firstInstance}-${cluster.lastInstance}`])] : []),
    `<property type="node" name="nodes">${nodeElements.join('')}</property></cluster>`,
  ].join('')
}

function managedSubnet(): string {
  const { address, netmask, size, firstTag, lastTag } = managedNetwork
  const parts = { subnet: address, netmask, minVlan: firstTag, maxVlan: lastTag, segmentSize: size }
  const properties = Object.entries(parts).map(([name, value]) => property(name, [String(value)]))
  return `<property name="managedSubnet"><managedSubnet name="${address}">${properties.join('')}</managedSubnet></property>`
}

function instanceElement(instance: PlacedInstance): string {
  return [
    `<instance name="${instance.id}">`,
    tag('ownerId', owner),
    tag('macAddress', instance.mac),
    tag('publicIp', instance.publicAddress ?? ''),
    tag('privateIp', instance.address),
    '<vpc/><subnet/><networkInterfaces/>',
    tag('securityGroups', instance.groups.map((group) => tag('value', group)).join('')),
    '</instance>',
  ].join('')
}

function groupElement([id, rules]: readonly [string, readonly Rule[]]): string {
  const ingress = tag('ingressRules', rules.map(ruleElement).join(''))
  return `<securityGroup name="${id}">${tag('ownerId', owner)}${ingress}<egressRules/></securityGroup>`
}

export interface ParsedRule {
  /** Its number. */
  readonly protocol: string
  /** First and last port, or type and code of ICMP; absent: all. */
  readonly first: string | undefined
  readonly second: string | undefined
  /** An address, a CIDR or a group's id. */
  readonly whom: string
}

const protocols: Readonly<Record<string, string>> = { icmp: '1', tcp: '6', udp: '17' }

function ruleElement(rule: Rule): string {
  const { protocol, first, second, whom } = parseRule(rule)
  const icmp = protocol === '1'
  const ports = protocol === '6' || protocol === '17'
  const isGroup = whom.startsWith('sg-')
  const cidr = whom.includes('/') ? whom : `${whom}/32`
  return tag(
    'rule',
    [
      tag('protocol', protocol),
      tag('fromPort', ports ? (first ?? '0') : ''),
      tag('toPort', ports ? (second ?? first ?? '65535') : ''),
      tag('icmpType', icmp ? (first ?? '-1') : ''),
      tag('icmpCode', icmp ? (second ?? '-1') : ''),
      tag('groupId', isGroup ? whom : ''),
      tag('groupOwnerId', isGroup ? owner : ''),
      tag('cidr', isGroup ? '' : cidr),
    ].join(''),
  )
}

export function parseRule(rule: Rule): ParsedRule {
  const match = /^(\w+)(?: (\d+)(?:[-/](\d+))?)? from (\S+)$/.exec(rule)
  const protocol = match?.[1] && (protocols[match[1]] ?? match[1])
  const whom = match?.[4] === 'anywhere' ? '0.0.0.0/0' : match?.[4]
  if (!protocol || !whom || !/^\d+$/.test(protocol)) throw new Error(`not a rule: ${rule}`)
  return { protocol, first: match?.[2], second: match?.[3], whom }
}

function property(name: string, values: readonly string[]): string {
  return `<property type="simple" name="${name}">${values.map((value) => tag('value', value)).join('')}</property>`
}

function tag(name: string, content: string): string {
  return content === '' ? `<${name}/>` : `<${name}>${content}</${name}>`
}
