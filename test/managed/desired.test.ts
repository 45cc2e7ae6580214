// Arithmetic and selection of the managed modes: segments, gateways, rules, and who is refused.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { managed } from '../../src/modes/managed/index.ts'
import { gatewayOf, segmentAt } from '../../src/modes/managed/segments.ts'
import { managedNovlan } from '../../src/modes/managed-novlan/index.ts'
import { dutyOf, type Facts, type Mode, type Node } from '../../src/modes/mode.ts'
import { resolveOptions } from '../../src/modes/settings.ts'
import { type Ipv4, parseCidr, parseIpv4, toIpv4, toNumber } from '../../src/view/ipv4.ts'
import { parseView, readView } from '../../src/view/parse.ts'
import type { ManagedSubnet, View } from '../../src/view/view.ts'

function subnet(network: string, segmentSize: number): ManagedSubnet {
  const cidr = parseCidr(network)
  if (!cidr) throw new Error(network)
  return { network: cidr, segmentSize, tags: { first: 2, last: 4095 }, clusters: ['one', 'two'] }
}

function address(text: string): Ipv4 {
  const parsed = parseIpv4(text)
  if (!parsed) throw new Error(text)
  return parsed
}

describe('segments', () => {
  it.each([
    ['172.16.0.0/16', 32, '172.16.63.201', 512, '172.16.63.192/27', '172.16.63.193'],
    ['172.16.0.0/16', 32, '172.16.63.233', 513, '172.16.63.224/27', '172.16.63.225'],
    ['192.168.0.0/16', 64, '192.168.0.9', 2, '192.168.0.0/26', '192.168.0.1'],
    ['192.168.0.0/16', 64, '192.168.0.73', 3, '192.168.0.64/26', '192.168.0.65'],
    ['10.0.0.0/8', 16, '10.0.255.192', 4094, '10.0.255.192/28', '10.0.255.193'],
    ['10.0.0.0/8', 2048, '10.0.8.9', 3, '10.0.8.0/21', '10.0.8.1'],
  ])('of %s by %i: %s is of tag %i', (network, size, text, tag, segment, gateway) => {
    const found = segmentAt(subnet(network, size), address(text))
    expect(found && { tag: found.tag, segment: `${found.network.address}/${found.network.prefix}` }).toEqual({
      tag,
      segment,
    })
    expect(found && gatewayOf(found, 0)).toBe(gateway)
  })

  it.each([
    ['outside the network', '172.16.0.0/16', 32, '172.17.0.1'],
    ['past the last tag of a tagged frame', '10.0.0.0/8', 16, '10.0.255.208'],
    ['in the last two segments, which no tag is left for', '172.16.0.0/16', 32, '172.16.255.200'],
  ])('no segment %s', (_, network, size, text) => {
    expect(segmentAt(subnet(network, size), address(text))).toBeUndefined()
  })

  it('every address of a segment is of the same one, and no gateway is an instance', () => {
    const sizes = fc.constantFrom(16, 32, 64, 128, 256, 512, 1024, 2048)
    fc.assert(
      fc.property(sizes, fc.integer({ min: 2, max: 4094 }), fc.nat(2047), (size, tag, within) => {
        const all = subnet('10.0.0.0/8', size)
        const first = toNumber(all.network.address) + size * (tag - 2)
        const found = segmentAt(all, toIpv4(first + (within % size)))
        expect(found?.tag).toBe(tag)
        expect(found?.network.address).toBe(toIpv4(first))
        const gateways = Array.from({ length: 8 }, (_, position) => found && gatewayOf(found, position))
        expect(gateways).toEqual(Array.from({ length: 8 }, (_, position) => toIpv4(first + 1 + position)))
      }),
    )
  })
})

describe('the network in a view', () => {
  it.each([
    ['segmentSize', '48', 'segmentSize "48" is not a power of two between 16 and 2048'],
    ['segmentSize', '8', 'segmentSize "8" is not a power of two between 16 and 2048'],
    ['segmentSize', '4096', 'segmentSize "4096" is not a power of two between 16 and 2048'],
    ['minVlan', '1', 'minVlan "1" is not a VLAN tag, 2 to 4095'],
    ['maxVlan', '4096', 'maxVlan "4096" is not a VLAN tag, 2 to 4095'],
    ['minVlan', '700', 'minVlan 700 is above maxVlan 639'],
    ['netmask', '255.0.255.0', 'netmask "255.0.255.0" is not a netmask'],
    ['subnet', '172.16.0.1', 'subnet 172.16.0.1 has bits set that its netmask clears'],
    ['netmask', '', 'netmask is missing'],
  ])('refuses %s %s', (name, value, problem) => {
    const { view, findings } = parseView(document({ [name]: value }), 'view.xml')
    expect(view).toBeUndefined()
    expect(findings.map(({ message }) => message).join('\n')).toContain(problem)
  })

  it('has what a cloud means where it says nothing', () => {
    const { view } = readView(document({ segmentSize: '', minVlan: '', maxVlan: '' }), 'view.xml')
    expect(view.managedSubnet).toMatchObject({
      segmentSize: 32,
      tags: { first: 2, last: 4095 },
      clusters: ['two', 'one'],
    })
  })
})

describe('a controller', () => {
  it('has the gateways of its place in the list, however the view is sorted', () => {
    expect(gatewaysOf('10.1.0.1')).toEqual(['172.16.63.194'])
    expect(gatewaysOf('10.1.0.2')).toEqual(['172.16.63.193'])
  })

  it('has those that the inventory says', () => {
    expect(gatewaysOf('10.1.0.1', { CLUSTER_POSITION: '7' })).toEqual(['172.16.63.200'])
  })

  it('does not take others because the list has changed, until somebody says so', () => {
    const facts = { interfaces: { eth0: { mac: '', addresses: ['10.1.0.1/16', '172.16.63.193/27'] } } }
    expect(() => gatewaysOf('10.1.0.1', {}, facts)).toThrow(
      /gateways at position 0, .* those at 1: .*CLUSTER_POSITION: 0 or 1/,
    )
    expect(gatewaysOf('10.1.0.1', { CLUSTER_POSITION: '0' }, facts)).toEqual(['172.16.63.193'])
    expect(gatewaysOf('10.1.0.2', {}, facts)).toEqual(['172.16.63.193'])
  })

  it.each([
    ['of no cluster', managed, 'cc', '10.9.9.9', 'the view has no cluster whose controller is 10.9.9.9'],
    ['that is no node', managed, 'nc', '10.9.9.9', 'the view has no node 10.9.9.9'],
  ] as const)('a host %s is refused', (_, mode, role, at, problem) => {
    expect(() => desiredOf(mode, role, at)).toThrow(problem)
  })

  it.each([['VNET_PRIVINTERFACE', 'interface-11', 'group sg-11111111 would need a device interface-11.512']])(
    'with %s %s it is refused',
    (name, value, problem) => {
      expect(() => desiredOf(managed, 'nc', '10.1.1.1', { [name]: value })).toThrow(problem)
    },
  )

  it('a network that holds 0.0.0.0 has no rules for instances without a public address', () => {
    expect(sourcesOf(document({}, '<cidr>0.0.0.0/1</cidr>'))).toEqual(['0.0.0.0/1'])
  })

  it('a rule about a group and a network lets in what both have', () => {
    const narrow = document({}, '<groupId>sg-11111111</groupId><cidr>172.16.63.200/29</cidr>')
    const apart = document({}, '<groupId>sg-11111111</groupId><cidr>10.0.0.0/8</cidr>')
    const wide = document({}, '<groupId>sg-11111111</groupId><cidr>172.16.0.0/12</cidr>')
    expect([narrow, apart, wide].map((text) => sourcesOf(text))).toEqual([
      ['172.16.63.200/29'],
      [],
      ['172.16.63.192/27'],
    ])
  })
})

interface Desired {
  readonly gateways: readonly { readonly address: string }[]
  readonly groups: readonly { readonly rules: readonly { readonly source: string }[] }[]
}

function sourcesOf(text: string): readonly string[] {
  const { view } = readView(text, 'view.xml')
  return desiredOf(managedNovlan, 'cc', '10.1.0.1', {}, { interfaces: {} }, view).groups.flatMap(({ rules }) => {
    return rules.map(({ source }) => source)
  })
}

function gatewaysOf(at: string, options: Readonly<Record<string, string>> = {}, facts: Facts = { interfaces: {} }) {
  return desiredOf(managedNovlan, 'cc', at, options, facts).gateways.map((one) => one.address)
}

function desiredOf(
  mode: Mode,
  role: Node['role'],
  at: string,
  said: Readonly<Record<string, string>> = {},
  facts: Facts = { interfaces: {} },
  view: View = readView(document({}), 'view.xml').view,
): Desired {
  const all = { VNET_PUBINTERFACE: 'eth0', VNET_PRIVINTERFACE: 'eth0', ...said }
  const settings = Object.fromEntries(Object.entries(all).map(([name, value]) => [name, { value, where: 'here' }]))
  const { options } = resolveOptions(dutyOf(mode, role).options, settings, {})
  const node = { name: 'host', address: at, role, profile: 'compatible', persist: false, options } as const
  return mode.desired(view, node, facts) as Desired
}

/** Two clusters, not in the order of their names, each with an instance of the same group. */
function document(changes: Readonly<Record<string, string>>, source = '<cidr>0.0.0.0/0</cidr>'): string {
  const parts = {
    subnet: '172.16.0.0',
    netmask: '255.255.0.0',
    minVlan: '512',
    maxVlan: '639',
    segmentSize: '32',
    ...changes,
  }
  const property = (name: string, value: string) => `<property name="${name}"><value>${value}</value></property>`
  const cluster = (name: string, controller: string, node: string, id: string) =>
    `<cluster name="${name}">${property('enabledCCIp', controller)}${property('macPrefix', 'd0:0d')}<property name="nodes"><node name="${node}"><instanceIds><value>${id}</value></instanceIds></node></property></cluster>`
  const instance = (id: string, at: string) =>
    `<instance name="${id}"><ownerId>1</ownerId><macAddress>d0:0d:00:00:00:${id.slice(-2)}</macAddress><privateIp>${at}</privateIp><securityGroups><value>sg-11111111</value></securityGroups></instance>`
  return [
    '<network-data><configuration>',
    property('mode', 'MANAGED-NOVLAN'),
    property('publicIps', '10.2.0.1-10.2.0.9'),
    property('enabledCLCIp', '10.1.0.9'),
    property('instanceDNSDomain', 'internal'),
    property('instanceDNSServers', '10.1.0.9'),
    `<property name="managedSubnet"><managedSubnet name="x">${Object.entries(parts)
      .map(([name, value]) => property(name, value))
      .join('')}</managedSubnet></property>`,
    `<property name="clusters">${cluster('two', '10.1.0.2', '10.1.1.2', 'i-00000002')}${cluster('one', '10.1.0.1', '10.1.1.1', 'i-00000001')}</property>`,
    `</configuration><vpcs/><instances>${instance('i-00000001', '172.16.63.201')}${instance('i-00000002', '172.16.63.202')}</instances>`,
    `<securityGroups><securityGroup name="sg-11111111"><ownerId>1</ownerId><ingressRules><rule><protocol>6</protocol><fromPort>22</fromPort><toPort>22</toPort>${source}</rule></ingressRules></securityGroup></securityGroups></network-data>`,
  ].join('')
}
