/** Network configuration documents: what each mode and version asks of them, and what a sound one means. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadNetworkConfiguration } from '../../src/config/network-configuration.ts'
import { EXIT } from '../../src/error.ts'
import { checkConfiguration, countAddresses, summarize } from '../../src/modes/check-configuration.ts'
import { parseRange, type Range } from '../../src/view/ipv4.ts'
import { refusalOf, writeFiles } from '../config/files.ts'
import { edgepush } from './cli.ts'

const SAMPLES = join(import.meta.dirname, '../view/samples/configuration')

function load(folder: string) {
  const { value, isJson } = loadNetworkConfiguration(join(folder, 'c'), 'the test', checkConfiguration)
  return summarize(value, isJson)
}

/** One line for each defect, without the name of the file. */
function defectsOf(text: string): readonly string[] {
  const folder = writeFiles({ c: text })
  const { exitCode, message } = refusalOf(folder, () => load(folder))
  expect(exitCode).toBe(EXIT.badConfig)
  return message.split('\n').map((line) => line.replace(/^c:/, ''))
}

function summaryOf(text: string) {
  return load(writeFiles({ c: text }))
}

const RACK_A = '{ Name: rack-a, Subnet: 10.1.0.0, Netmask: 255.255.0.0, Gateway: 10.1.0.1 }'
const RACK_B = '{ Subnet: 10.2.0.0, Netmask: 255.255.0.0, Gateway: 10.2.0.1 }'
const ONE = `Subnets: [${RACK_A}]\n`
const TWO = `Subnets: [${RACK_A}, ${RACK_B}]\n`
const POOL = 'PublicIps: []\n'
const MANAGED = 'Mode: MANAGED\nPublicIps: []\n'
const VPC = 'Mode: VPCMIDO\nPublicIps: []\n'
const NEW = '{ Ip: 10.1.1.1, ExternalCidr: 198.51.100.0/25, ExternalDevice: em2, ExternalIp: 198.51.100.2'
const OLD = '{ GatewayHost: gw, GatewayIP: 10.1.1.1, GatewayInterface: em2 }'
const OLD_NETWORK = 'PublicNetworkCidr: 198.51.100.0/24, PublicGatewayIP: 198.51.100.1'

describe('of any mode', () => {
  test.each<[string, string, ...string[]]>([
    [
      'a list',
      '[]\n',
      '1:1: must be a network configuration: a map with keys such as PublicIps and Clusters, not an empty list',
    ],
    [
      'nothing',
      '',
      '1:1: must be a network configuration: a map with keys such as PublicIps and Clusters, not nothing',
    ],
    ['an unknown key', `${ONE}MacPrefx: d0:0d\n`, '2:1: unknown key "MacPrefx" (did you mean "MacPrefix"?)'],
    ['a note', `${ONE}x-note: mine\n`, '2:1: unknown key "x-note"'],
    ['a key in the wrong case', `${ONE}mode: EDGE\n`, '2:1: unknown key "mode" (did you mean "Mode"?)'],
    [
      'a mode that is none',
      `${ONE}Mode: MESH\n`,
      '2:7: Mode: there is no mode "MESH"; there are EDGE, MANAGED, MANAGED-NOVLAN, VPCMIDO',
    ],
    [
      'a domain',
      `${ONE}InstanceDnsDomain: "a b"\n`,
      '2:20: InstanceDnsDomain: must be a domain such as eucalyptus.internal, not "a b"',
    ],
    [
      'a scalar for a list',
      `${ONE}InstanceDnsServers: 10.1.1.1\n`,
      '2:21: InstanceDnsServers: must be a list of addresses such as [10.20.0.10], not "10.1.1.1"',
    ],
    [
      'a server',
      `${ONE}InstanceDnsServers: [10.1.1.256]\n`,
      '2:22: InstanceDnsServers[0]: must be an IPv4 address such as 10.20.0.10, not "10.1.1.256"',
    ],
    [
      'a prefix of MACs',
      `${ONE}MacPrefix: d0:0d:00\n`,
      '2:12: MacPrefix: must be the first two bytes of MAC addresses such as "d0:0d", not "d0:0d:00"',
    ],
    [
      'a range backwards',
      `${ONE}PublicIps: [10.9.9.9-10.9.9.1]\n`,
      expect.stringMatching(/^2:13: PublicIps\[0\]: must be .* its lower end first, not "10.9.9.9-10.9.9.1"$/),
    ],
    [
      'a network for a range',
      `${ONE}PublicIps: [10.9.9.0/24]\n`,
      expect.stringMatching(/^2:13: PublicIps\[0\]: must be an IPv4 address or a range/),
    ],
    [
      'a gateway of the public network',
      `${ONE}PublicGateway: x\n`,
      '2:16: PublicGateway: must be an IPv4 address such as 10.20.0.10, not "x"',
    ],
    [
      'a subnet without a gateway',
      'Subnets: [{ Subnet: 10.1.0.0, Netmask: 255.255.0.0 }]\n',
      '1:11: Subnets[0]: key "Gateway" is missing: an IPv4 address such as 10.20.0.10',
    ],
    [
      'a netmask with a hole',
      ONE.replace('255.255.0.0', '255.0.255.0'),
      '1:54: Subnets[0].Netmask: 255.0.255.0 is not a netmask',
    ],
    [
      'host bits',
      ONE.replace('10.1.0.0', '10.1.0.9'),
      '1:35: Subnets[0].Subnet: 10.1.0.9 has bits set that its netmask clears: 10.1.0.0/16',
    ],
    [
      'a gateway elsewhere',
      ONE.replace('10.1.0.1', '10.2.0.1'),
      '1:76: Subnets[0].Gateway: 10.2.0.1 is not a host of 10.1.0.0/16',
    ],
    [
      'the network as gateway',
      ONE.replace('10.1.0.1', '10.1.0.0'),
      '1:76: Subnets[0].Gateway: 10.1.0.0 is not a host of 10.1.0.0/16',
    ],
    [
      'a cluster without a name',
      `${ONE}Clusters: [{ MacPrefix: d0:0d }]\n`,
      '2:12: Clusters[0]: key "Name" is missing: a name',
    ],
    [
      'a cluster twice',
      `${ONE}Clusters: [{ Name: a }, { Name: a }]\n`,
      '2:33: Clusters[1].Name: "a" is the name of another cluster',
    ],
    ['a key twice', `${ONE}PublicIps: []\nPublicIps: []\n`, '3:1: key PublicIps stands twice in the same map'],
    [
      'a comma too many in JSON',
      '{"PublicIps": [],}',
      '1:18: not JSON, though it begins like it: Expected double-quoted property name',
    ],
    [
      'a comment in JSON',
      '{"PublicIps": [] # none\n}',
      "1:18: not JSON, though it begins like it: Expected ',' or '}' after property value",
    ],
    [
      'half of a JSON document',
      '{"PublicIps": ["10.1',
      expect.stringMatching(/^1:21: not JSON, though it begins like it: Unterminated string/),
      expect.anything(),
      expect.anything(),
      expect.anything(),
    ],
  ])('%s', (_, text, ...lines) => {
    expect(defectsOf(text)).toEqual(lines)
  })

  test('every defect is named at once, in the order of the file', () => {
    const lines = defectsOf(
      `Mode: EDGE\nMacPrefix: x\n${TWO}Clusters: [{ Name: a }, { Name: b, Subnet: { Name: c } }]\nManagedSubnet: {}\n`,
    )
    expect(lines.map((line) => line.split(':')[0])).toEqual(['2', '4', '4', '5', '5', '5'])
  })
})

describe('EDGE', () => {
  test.each<[string, string, ...string[]]>([
    [
      'no cluster and no subnet',
      'PublicIps: []\n',
      '1:1: without Clusters there must be a single subnet in Subnets, not 0',
    ],
    ['no cluster and two subnets', TWO, '1:1: without Clusters there must be a single subnet in Subnets, not 2'],
    [
      'a subnet of the other kind',
      `${ONE}ManagedSubnet: { Subnet: 172.18.0.0, Netmask: 255.255.0.0 }\n`,
      '2:1: ManagedSubnet does not belong to mode EDGE',
    ],
    [
      'a cluster that has the choice',
      `${TWO}Clusters: [{ Name: a }]\n`,
      '2:12: Clusters[0]: Subnet of cluster "a" is missing, because there are 2 in Subnets',
    ],
    [
      'a cluster that has none',
      'Clusters: [{ Name: a }]\n',
      '1:12: Clusters[0]: Subnet of cluster "a" is missing, because there are 0 in Subnets',
    ],
    [
      'half a subnet',
      'Clusters: [{ Name: a, Subnet: { Subnet: 10.1.0.0, Gateway: 10.1.0.1 } }]\n',
      '1:23: Clusters[0].Subnet: key "Netmask" is missing: a subnet is whole, or only a Name',
    ],
    [
      'the name of no subnet',
      `${TWO}Clusters: [{ Name: a, Subnet: { Name: x } }]\n`,
      '2:39: Clusters[0].Subnet.Name: no subnet is called "x"; in Subnets: rack-a, 10.2.0.0',
    ],
    [
      'a private address elsewhere',
      `${TWO}Clusters: [{ Name: a, Subnet: { Name: 10.2.0.0 }, PrivateIps: [10.1.0.9] }]\n`,
      '2:64: Clusters[0].PrivateIps[0]: 10.1.0.9 is not in 10.2.0.0/16 of cluster "a"',
    ],
    [
      'a range that leaves the subnet',
      `${ONE}PrivateIps: [10.1.0.9-10.2.0.1]\nClusters: [{ Name: a }]\n`,
      '2:14: PrivateIps[0]: 10.1.0.9-10.2.0.1 is not in 10.1.0.0/16 of cluster "a"',
    ],
    [
      'a private address elsewhere, without clusters',
      `${ONE}PrivateIps: [10.2.0.9]\n`,
      '2:14: PrivateIps[0]: 10.2.0.9 is not in 10.1.0.0/16',
    ],
  ])('%s', (_, text, ...lines) => {
    expect(defectsOf(text)).toEqual(lines)
  })

  test('a cluster takes what it does not say from the top, and in the end every host', () => {
    const text = `PublicIps: [1.1.1.1-1.1.1.9, 1.1.1.5]\n${TWO}Clusters:
  - { Name: a, Subnet: { Name: rack-a }, PrivateIps: [10.1.0.9] }
  - { Name: b, Subnet: { Subnet: 10.3.0.0, Netmask: 255.255.255.0, Gateway: 10.3.0.100 } }
`
    const { clusters, otherSubnets, publicIps } = summaryOf(text)
    expect(countAddresses(publicIps)).toBe(9)
    expect(clusters.map(({ name, subnet, privateIps }) => [name, subnet?.gateway, privateIps])).toEqual([
      ['a', '10.1.0.1', ranges('10.1.0.9')],
      ['b', '10.3.0.100', ranges('10.3.0.1-10.3.0.99', '10.3.0.101-10.3.0.254')],
    ])
    expect(otherSubnets.map(({ address }) => address)).toEqual(['10.2.0.0'])
    const shared = summaryOf(`${ONE}PrivateIps: [10.1.0.7]\nClusters: [{ Name: a }]\n`)
    expect(shared.clusters[0]?.privateIps).toEqual(ranges('10.1.0.7'))
  })
})

describe('MANAGED', () => {
  const segments = (more: string) => `${MANAGED}ManagedSubnet: { Subnet: 172.18.0.0, Netmask: 255.255.0.0, ${more} }\n`

  // YAML came with 5, so as YAML none of them is taken by any version.
  const YAML = '1:1: no version takes it: part of it came with 5, and part is gone after 4.3'

  test.each<[string, string, ...string[]]>([
    ['no subnet of its own', MANAGED, '1:1: key "ManagedSubnet" is missing: mode MANAGED needs it'],
    ['subnets of the other kind', segments('SegmentSize: 32') + ONE, '4:1: Subnets do not belong to mode MANAGED'],
    [
      'a size that is no power of two',
      segments('SegmentSize: 33'),
      '3:73: ManagedSubnet.SegmentSize: 33 is not a power of two from 16 to 2048',
    ],
    [
      'a size that is too small',
      segments('SegmentSize: "8"'),
      '3:73: ManagedSubnet.SegmentSize: 8 is not a power of two from 16 to 2048',
    ],
    ['a VLAN below all', segments('MinVlan: 1'), '3:69: ManagedSubnet.MinVlan: 1 is not a VLAN, 2 to 4095'],
    ['a VLAN above all', segments('MaxVlan: "4096"'), '3:69: ManagedSubnet.MaxVlan: 4096 is not a VLAN, 2 to 4095'],
    ['no VLAN at all', segments('MinVlan: 9, MaxVlan: 8'), '3:69: ManagedSubnet.MinVlan: 9 is above MaxVlan, 8'],
    [
      'a VLAN without a segment',
      segments('MinVlan: 34, SegmentSize: 2048'),
      '3:69: ManagedSubnet.MinVlan: 172.18.0.0/16 has 32 segments of 2048, so none for VLAN 34',
    ],
  ])('%s', (_, text, ...lines) => {
    expect(defectsOf(text).toSorted()).toEqual([YAML, ...lines].toSorted())
    expect(defectsOf(text.replace('MANAGED', 'MANAGED-NOVLAN'))).toHaveLength(lines.length + 1)
  })

  test('the last VLAN that has a segment is taken', () => {
    const document = {
      Mode: 'MANAGED',
      PublicIps: [],
      ManagedSubnet: { Subnet: '172.18.0.0', Netmask: '255.255.0.0', MinVlan: 33, SegmentSize: 2048 },
    }
    expect(summaryOf(JSON.stringify(document))).toMatchObject({ since: '4.2', until: '4.3' })
  })
})

describe('VPCMIDO', () => {
  test.each<[string, string, ...string[]]>([
    ['no gateways at all', VPC, '1:1: key "Mido" is missing: mode VPCMIDO needs it'],
    [
      'what clusters have elsewhere',
      `${VPC}PrivateIps: []\n${ONE}Clusters: [{ Name: a, Subnet: {}, PrivateIps: [] }]\nMido: { Gateways: [${NEW}, ExternalRouterIp: 198.51.100.1 }] }\n`,
      '3:1: PrivateIps does not belong to mode VPCMIDO',
      '4:1: Subnets does not belong to mode VPCMIDO',
      '5:23: Clusters[0].Subnet: Subnet does not belong to mode VPCMIDO',
      '5:35: Clusters[0].PrivateIps: PrivateIps do not belong to mode VPCMIDO',
    ],
    [
      'an empty list of gateways',
      `${VPC}Mido: { Gateways: [], ${OLD_NETWORK} }\n`,
      '3:9: Mido.Gateways: there must be at least one gateway in Gateways',
    ],
    [
      'too many',
      `${VPC}Mido: { ${OLD_NETWORK}, Gateways: [${Array.from({ length: 7 }, () => OLD).join()}] }\n`,
      '3:76: Mido.Gateways: there can be 6 gateways, not 7',
    ],
    [
      'the old form without its network',
      `${VPC}Mido: { Gateways: [${OLD}] }\n`,
      '3:1: Mido: key "PublicNetworkCidr" is missing',
      '3:1: Mido: key "PublicGatewayIP" is missing',
    ],
    [
      'half an old gateway',
      `${VPC}Mido: { ${OLD_NETWORK}, GatewayHost: gw, GatewayIP: 10.1.1.1 }\n`,
      '3:1: Mido: key "GatewayInterface" is missing',
    ],
    [
      'half an old gateway in a list',
      `${VPC}Mido: { ${OLD_NETWORK}, Gateways: [{ GatewayHost: gw, GatewayIP: 10.1.1.1 }] }\n`,
      '3:87: Mido.Gateways[0]: key "GatewayInterface" is missing',
    ],
    [
      'one old gateway beside a list',
      `${VPC}Mido: { ${OLD_NETWORK}, GatewayHost: gw, Gateways: [${OLD}] }\n`,
      '3:76: Mido: key "GatewayHost" cannot stand where there are Gateways',
    ],
    [
      'the old network in the new form',
      `${VPC}Mido: { ${OLD_NETWORK}, Gateways: [${NEW}, ExternalRouterIp: 198.51.100.1 }] }\n`,
      '3:9: Mido: key "PublicNetworkCidr" cannot stand beside gateways of the new form',
      '3:45: Mido: key "PublicGatewayIP" cannot stand beside gateways of the new form',
    ],
    [
      'an old key in a new gateway',
      `${VPC}Mido: { Gateways: [${NEW}, ExternalRouterIp: 198.51.100.1, GatewayHost: gw }] }\n`,
      '3:146: Mido.Gateways[0]: key "GatewayHost" cannot stand beside gateways of the new form',
    ],
    [
      'a static gateway without a router',
      `${VPC}Mido: { Gateways: [${NEW} }] }\n`,
      '3:20: Mido.Gateways[0]: key "ExternalRouterIp" is missing',
    ],
    [
      'a BGP gateway without a peer',
      `${VPC}Mido: { BgpAsn: 64620, Gateways: [${NEW} }] }\n`,
      '3:35: Mido.Gateways[0]: key "BgpPeerIp" is missing',
      '3:35: Mido.Gateways[0]: key "BgpPeerAsn" is missing',
      '3:35: Mido.Gateways[0]: key "BgpAdRoutes" is missing',
    ],
    [
      'a BGP gateway without a route',
      `${VPC}Mido: { BgpAsn: "64620", Gateways: [${NEW}, BgpPeerIp: 198.51.100.1, BgpPeerAsn: 1, BgpAdRoutes: [] }] }\n`,
      '3:171: Mido.Gateways[0].BgpAdRoutes: there must be at least one route',
    ],
    [
      'numbers that are of no system',
      `${VPC}Mido: { BgpAsn: 0, Gateways: [${NEW}, BgpPeerIp: 198.51.100.1, BgpPeerAsn: "4294967296", BgpAdRoutes: [203.0.113.0/24] }] }\n`,
      '3:17: Mido.BgpAsn: 0 is not the number of an autonomous system, 1 to 4294967295',
      '3:162: Mido.Gateways[0].BgpPeerAsn: 4294967296 is not the number of an autonomous system, 1 to 4294967295',
    ],
    [
      'addresses outside of the outside',
      `${VPC}Mido: { Gateways: [${NEW.replace('ExternalIp: 198.51.100.2', 'ExternalIp: 198.51.100.127')}, ExternalRouterIp: 198.51.100.128 }] }\n`,
      '3:100: Mido.Gateways[0].ExternalIp: 198.51.100.127 is not a host of ExternalCidr, 198.51.100.0/25',
      '3:134: Mido.Gateways[0].ExternalRouterIp: 198.51.100.128 is not a host of ExternalCidr, 198.51.100.0/25',
    ],
  ])('%s', (_, text, ...lines) => {
    expect(defectsOf(text)).toEqual(lines)
  })
})

describe('versions', () => {
  const json = (more: object) =>
    JSON.stringify({
      PublicIps: [],
      Clusters: [{ Name: 'a', Subnet: { Subnet: '10.1.0.0', Netmask: '255.255.0.0', Gateway: '10.1.0.1' } }],
      ...more,
    })

  test.each([
    ['the oldest', json({}), '4.0'],
    ['a mode', json({ Mode: 'EDGE' }), '4.1'],
    ['a public gateway', json({ PublicGateway: '10.1.0.1' }), '4.1.1'],
    ['no pool', json({ PublicIps: undefined }), '5'],
    ['YAML', ONE + POOL, '5'],
  ])('%s', (_, text, since) => {
    expect(summaryOf(text)).toMatchObject({ since, until: undefined })
  })
})

describe('samples', () => {
  const TAKEN: Readonly<Record<string, string>> = {
    'edge-1cluster-2nc.network_configuration.json': 'EDGE 4.1 and later',
    'edge-1cluster-2nc.v4.0.network_configuration.json': 'EDGE 4.0 and later',
    'edge-1cluster-2nc.v5.network_configuration.yaml': 'EDGE 5',
    'edge-2clusters-flat.network_configuration.json': 'EDGE 4.1 and later',
    'edge-2clusters.network_configuration.json': 'EDGE 4.1 and later',
    'managed-novlan.network_configuration.json': 'MANAGED-NOVLAN 4.2 to 4.3',
    'managed.network_configuration.json': 'MANAGED 4.2 to 4.3',
    'vpcmido-bgp.network_configuration.json': 'VPCMIDO 4.4 and later',
    'vpcmido-static.network_configuration.json': 'VPCMIDO 4.4 and later',
    'vpcmido.v4.1.network_configuration.json': 'VPCMIDO 4.1 and later',
    'vpcmido.v4.2.network_configuration.json': 'VPCMIDO 4.2 and later',
  }

  test.each(readdirSync(SAMPLES).toSorted())('%s', async (file) => {
    const { code, stdout, stderr } = await edgepush(['check-config', join(SAMPLES, file)])
    expect([code, stderr]).toEqual([0, ''])
    const [, mode, versions] = /^mode +(\S+)\ntaken by +(.*)$/m.exec(stdout) ?? []
    expect(`${mode} ${versions}`).toBe(TAKEN[file])
  })
})

describe('the command', () => {
  test('tells what a document means', async () => {
    const { stdout } = await edgepush(['check-config', join(SAMPLES, 'edge-2clusters.network_configuration.json')])
    expect(stdout).toBe(`mode           EDGE
taken by       4.1 and later
public         64 addresses: 203.0.113.16-203.0.113.79
clusters       az-one, 172.20.4.0/24 gateway 172.20.4.1, 101 addresses: 172.20.4.20-172.20.4.120
               az-two, 172.20.8.0/23 gateway 172.20.8.1, 509 addresses: 172.20.8.2-172.20.9.254
other subnets  172.20.16.0/24 gateway 172.20.16.1
`)
  })

  test('tells it to programs', async () => {
    const { stdout } = await edgepush(['check-config', '--json', join(SAMPLES, 'managed.network_configuration.json')])
    const [head, summary, ...rest] = stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    expect(head).toMatchObject({ type: 'edgepush', format: 1, command: 'check-config' })
    expect(summary).toMatchObject({
      type: 'configuration',
      mode: 'MANAGED',
      since: '4.2',
      until: '4.3',
      public: { addresses: 20 },
    })
    expect(rest).toEqual([])
  })

  test.each([
    [['check-config'], 64, "missing required argument 'file'"],
    [['check-config', '/nowhere/c.yaml'], 66, '/nowhere/c.yaml: no such file (named by the command line)'],
    [['check-config', 'package.json'], 78, 'package.json:2:3: unknown key "name"'],
  ])('%j ends with %i', async (args, code, message) => {
    const ended = await edgepush(args)
    expect([ended.code, ended.stdout]).toEqual([code, ''])
    expect(ended.stderr).toContain(message)
  })
})

function ranges(...texts: readonly string[]): readonly (Range | undefined)[] {
  return texts.map(parseRange)
}
