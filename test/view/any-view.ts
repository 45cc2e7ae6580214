/** Views that a cloud could have: consistent, sorted, with everything that can be there or not. */

import fc from 'fast-check'
import { type Ipv4, network, toIpv4 } from '../../src/view/ipv4.ts'
import type { Cluster, IngressRule, Instance, RuleMatch, SecurityGroup, Subnet, View } from '../../src/view/view.ts'

const PRIVATE = 0x0a000000
const PUBLIC = 0xcb007100

const address = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(toIpv4)
const cidr = fc.tuple(address, fc.integer({ min: 0, max: 32 })).map(([base, prefix]) => network(base, prefix))
const octet = fc.integer({ min: 0, max: 255 })
const port = fc.integer({ min: 0, max: 65535 })
const ports = fc.tuple(port, port).map(([one, other]) => ({ from: Math.min(one, other), to: Math.max(one, other) }))

const match: fc.Arbitrary<RuleMatch> = fc.oneof(
  fc.record({ protocol: fc.constantFrom('tcp', 'udp'), ports: fc.oneof(ports, fc.constant('all' as const)) }),
  fc.record({ protocol: fc.constant('icmp'), type: octet, code: fc.oneof(octet, fc.constant('any' as const)) }),
  fc.record({ protocol: fc.constant('icmp'), type: fc.constant('any'), code: fc.constant('any') }),
  fc.record({ protocol: fc.constantFrom(2, 47, 50, 132, 255) }),
)

/** In the view or not: a rule may name a group that is gone. */
const groupId = fc.integer({ min: 0, max: 9 }).map((index) => `sg-0000000${index}`)

const rule: fc.Arbitrary<IngressRule> = fc.record({
  match,
  source: fc.oneof(fc.record({ cidr }), fc.record({ group: groupId }), fc.record({ group: groupId, cidr })),
})

const groups: fc.Arbitrary<readonly SecurityGroup[]> = fc
  .array(fc.array(rule, { maxLength: 4 }), { minLength: 1, maxLength: 9 })
  .map((rules) => rules.map((ingress, index) => ({ id: `sg-0000000${index}`, owner: '000000000001', ingress })))

/** Ids in any order, private addresses ascending; groups are numbers of which some may not exist. */
const instances = fc
  .uniqueArray(
    fc.record({
      number: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      hasMac: fc.boolean(),
      hasPublicAddress: fc.boolean(),
      groups: fc.uniqueArray(fc.nat({ max: 9 }), { minLength: 1, maxLength: 4 }),
    }),
    { selector: ({ number }) => number, maxLength: 8 },
  )
  .map((parts) =>
    parts.map(({ number, hasMac, hasPublicAddress, groups: ids }, index) => {
      const digits = number.toString(16).padStart(8, '0')
      return {
        id: `i-${digits}`,
        owner: '000000000002',
        mac: hasMac ? `d0:0d:${digits.match(/../g)?.join(':')}` : undefined,
        publicAddress: hasPublicAddress ? toIpv4(PUBLIC + index) : undefined,
        privateAddress: toIpv4(PRIVATE + 16 + index),
        groups: ids,
      }
    }),
  )

export const anyView: fc.Arbitrary<View> = fc
  .record({
    instances,
    groups,
    version: fc.option(fc.constant('5e1fb7c0'), { nil: undefined }),
    nodesOfClusters: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
    homes: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 8, maxLength: 8 }),
    subnets: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ instances: numbered, groups, version, nodesOfClusters, homes, subnets }) => ({
    parts: { groups, version, nodesOfClusters, homes, subnets },
    instances: numbered.map((instance): Instance => ({ ...instance, groups: existing(instance.groups, groups) })),
  }))
  .map(({ instances, parts: { groups, version, nodesOfClusters, homes, subnets } }) => ({
    mode: 'ANY',
    version,
    cloudController: toIpv4(PRIVATE + 1),
    dnsDomain: 'cloud.internal',
    dnsServers: [toIpv4(PRIVATE + 2), toIpv4(PRIVATE + 1)],
    publicPool: [{ first: toIpv4(PUBLIC), last: toIpv4(PUBLIC + 255) }],
    managedSubnet: undefined,
    subnets: Array.from({ length: subnets }, (_, index) => subnetAt(PRIVATE + (index + 1) * 65536)),
    clusters: nodesOfClusters.map((nodes, index) => clusterAt(index, nodes, instances, homes)),
    instances,
    groups,
    withheld: [],
    untraced: 0,
    vpcElements: 0,
  }))

function existing(numbers: readonly number[], groups: readonly SecurityGroup[]): readonly string[] {
  return [...new Set(numbers.map((number) => groups[number % groups.length]?.id ?? ''))]
}

/** An instance whose home does not exist is on no node. */
function clusterAt(index: number, nodes: number, all: readonly Instance[], homes: readonly number[]): Cluster {
  return {
    name: `az-${index}`,
    controller: toIpv4(PRIVATE + 3 + index),
    macPrefix: 'd0:0d',
    subnet: index === 2 ? undefined : subnetAt(PRIVATE),
    privatePool: index === 2 ? [] : [{ first: toIpv4(PRIVATE + 16), last: toIpv4(PRIVATE + 99) }],
    nodes: Array.from({ length: nodes }, (_, node) => ({
      name: `10.99.${index}.${node}`,
      instances: all.filter((_, number) => homes[number] === index * 3 + node).map(({ id }) => id),
    })),
  }
}

function subnetAt(base: number): Subnet {
  const first: Ipv4 = toIpv4(base + 1)
  return { network: network(first, 16), gateway: first }
}
