/** One sound view, one defect at a time: exactly what is said, and where. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseView } from '../../src/view/parse.ts'

const SOUND = readFileSync(join(import.meta.dirname, 'samples/edge-1cluster-2nc.v4.4.xml'), 'utf8')

function find(from: string, to: string): readonly string[] {
  expect(SOUND).toContain(from)
  const { findings } = parseView(SOUND.replace(from, to), 'v')
  return findings.map(({ severity, where, message }) => `${severity} ${where}: ${message}`)
}

function between(first: string, last: string): string {
  return SOUND.slice(SOUND.indexOf(first), SOUND.indexOf(last))
}

test('the view is sound before', () => {
  expect(parseView(SOUND, 'v').findings).toEqual([])
})

test.each([
  [
    'no configuration',
    between('  <configuration>', '  <vpcs/>'),
    '',
    [
      'error v:2: configuration is missing',
      'error v:2 configuration: mode is missing, as it is in every view before 4.2: say it, --mode NAME',
      'error v:2 configuration: enabledCLCIp is missing',
      'error v:2 configuration: instanceDNSDomain is missing',
      'error v:2 configuration: instanceDNSServers is missing',
    ],
  ],
  ['no instances', between('  <instances>', '  <dhcpOptionSets/>'), '', ['error v:2: instances is missing']],
  ['no groups', between('  <securityGroups>\n    <', '</network-data>'), '', ['error v:2: securityGroups is missing']],
  ['a section twice', '<vpcs/>', '<instances/>', ['error v:62: instances is there twice']],
  [
    'a property twice',
    '<property name="publicIps">',
    '<property name="mode"><value>OTHER</value></property><property name="publicIps">',
    ['error v:7 configuration: mode is there twice'],
  ],
  [
    'a mode that is no name',
    'EDGE',
    'EDGE; reboot',
    ['error v:5 configuration: mode "EDGE; reboot" is not the name of a mode'],
  ],
  ['a version that is no version', '5e1fb7c0', 'v 1', ['warning v:2: version "v 1" is not safe text']],
  [
    'a host name as address',
    '<value>10.20.0.10</value>',
    '<value>clc</value>',
    ['error v:12 configuration: enabledCLCIp "clc" is not a usable IPv4 address'],
  ],
  [
    'an octal address',
    '<value>10.20.0.10</value>',
    '<value>010.20.0.10</value>',
    ['error v:12 configuration: enabledCLCIp "010.20.0.10" is not a usable IPv4 address'],
  ],
  [
    'a loopback address',
    '<value>10.20.0.10</value>',
    '<value>127.0.0.1</value>',
    ['warning v:3 configuration: enabledCLCIp 127.0.0.1 is of no use to instances'],
  ],
  [
    'a domain that ends a statement',
    'vm.lab.internal',
    'vm.lab"; include "x',
    ['error v:15 configuration: instanceDNSDomain "vm.lab\\"; include \\"x" is not a domain name'],
  ],
  [
    'a DNS server that is none',
    '<value>10.20.0.11</value>',
    '<value>0.0.0.0</value>',
    ['error v:19 configuration: instanceDNSServers "0.0.0.0" is not a usable IPv4 address'],
  ],
  [
    'a DNS server that is nobody else',
    '<value>10.20.0.11</value>',
    '<value>127.0.0.1</value>',
    ['warning v:3 configuration: DNS server 127.0.0.1 is of no use to instances'],
  ],
  [
    'a pool that is none',
    '<value>203.0.113.60</value>',
    '<value>203.0.113.0/24</value>',
    ['error v:9 configuration: publicIps "203.0.113.0/24" is not an IPv4 address or a range of them, first-last'],
  ],
  [
    'an incomplete subnet',
    '<property name="clusters">',
    '<property name="subnets"><subnet name="192.0.2.0"><property name="subnet"><value>192.0.2.0</value></property></subnet></property><property name="clusters">',
    ['error v:21 subnet 192.0.2.0: netmask is missing', 'error v:21 subnet 192.0.2.0: gateway is missing'],
  ],
])('configuration: %s', (_, from, to, messages) => {
  expect(find(from, to)).toEqual(messages)
})

test.each([
  ['no name', 'cluster name="az-one"', 'cluster', ['error v:22 cluster: name is missing']],
  [
    'an unsafe name',
    'cluster name="az-one"',
    'cluster name="../az"',
    ['error v:22 cluster "../az": name "../az" is not a cluster name'],
  ],
  [
    'a mask with a hole',
    '255.255.255.0',
    '255.0.255.0',
    ['error v:28 cluster az-one subnet: netmask "255.0.255.0" is not a netmask'],
  ],
  [
    'no mask at all',
    '255.255.255.0',
    '0.0.0.0',
    ['error v:28 cluster az-one subnet: netmask "0.0.0.0" is not a netmask'],
  ],
  [
    'a gateway elsewhere',
    '172.20.4.1<',
    '172.20.5.1<',
    ['error v:23 cluster az-one subnet: gateway 172.20.5.1 is not in 172.20.4.0/24'],
  ],
  [
    'the network as gateway',
    '172.20.4.1<',
    '172.20.4.0<',
    ['error v:23 cluster az-one subnet: gateway 172.20.4.0 is not a host of 172.20.4.0/24'],
  ],
  [
    'the broadcast as gateway',
    '172.20.4.1<',
    '172.20.4.255<',
    ['error v:23 cluster az-one subnet: gateway 172.20.4.255 is not a host of 172.20.4.0/24'],
  ],
  [
    'host bits in the network',
    '<value>172.20.4.0<',
    '<value>172.20.4.9<',
    ['warning v:23 cluster az-one subnet: subnet 172.20.4.9 has host bits set, read as 172.20.4.0/24'],
  ],
  [
    'a controller that is no host',
    '10.20.0.21',
    '10.20.0.256',
    ['error v:35 cluster az-one: enabledCCIp "10.20.0.256" is not an IPv4 address or a host name'],
  ],
  ['a controller by name', '10.20.0.21', 'cc-01.lab', []],
  [
    'an odd MAC prefix',
    '<value>d0:0d</value>',
    '<value>zz</value>',
    [
      'warning v:22 cluster az-one: macPrefix zz is not a MAC prefix',
      ...[63, 72, 82, 91, 100].map(() => expect.stringContaining('has no known prefix')),
    ],
  ],
  [
    'a pool that is none',
    '172.20.4.20-172.20.4.120',
    'x',
    ['error v:41 cluster az-one: privateIps "x" is not an IPv4 address or a range of them, first-last'],
  ],
  ['a node without a name', 'node name="10.20.0.31"', 'node', ['error v:44 node: name is missing']],
  [
    'a node that is no host',
    'node name="10.20.0.31"',
    'node name="10.20.0.31;id"',
    ['error v:44 node "10.20.0.31;id": name "10.20.0.31;id" is not an IPv4 address or a host name'],
  ],
  [
    'a node like a folder',
    'node name="10.20.0.31"',
    'node name=".."',
    ['error v:44 node ..: name ".." is not an IPv4 address or a host name'],
  ],
  [
    'a node twice',
    'node name="10.20.0.32"',
    'node name="10.20.0.31"',
    ['error v:51 node 10.20.0.31: is there twice, also in line 44'],
  ],
  [
    'a cluster twice',
    '</cluster>',
    '</cluster><cluster name="az-one"><property name="enabledCCIp"><value>10.20.0.21</value></property><property name="macPrefix"><value>d0:0d</value></property></cluster>',
    ['error v:58 cluster az-one: is there twice, also in line 22'],
  ],
  [
    'an instance on two nodes',
    '<value>i-9f1e6a35</value>',
    '<value>i-2ea53c7b</value>',
    ['error v:51 node 10.20.0.32: instance i-2ea53c7b is also on node 10.20.0.31 (line 44)'],
  ],
  [
    'an id that is none',
    '<value>i-9f1e6a35</value>',
    '<value>../../etc</value>',
    ['error v:54 node 10.20.0.32: instanceIds "../../etc" is not an instance id (i- and 8 to 17 hexadecimal digits)'],
  ],
  [
    'an instance nobody knows',
    '<value>i-9f1e6a35</value>',
    '<value>i-9f1e6a36</value>',
    [
      'warning v:51 node 10.20.0.32: runs instance i-9f1e6a36, which is not in the view; left out',
      'warning v:103 instance i-9f1e6a35: is on no node',
    ],
  ],
])('cluster: %s', (_, from, to, messages) => {
  expect(find(from, to)).toEqual(messages)
})

test.each([
  [
    'no owner',
    '<instance name="i-0c0ffee1">\n      <ownerId>000520113071</ownerId>',
    '<instance name="i-0c0ffee1">',
    ['error v:63 instance i-0c0ffee1: ownerId is missing'],
  ],
  [
    'no group',
    '<value>sg-77e1b0f9</value>',
    '<value> </value>',
    ['error v:99 instance i-7b40d9e2: securityGroups is missing'],
  ],
  ['no address', '<privateIp>172.20.4.20</privateIp>', '', ['error v:63 instance i-0c0ffee1: privateIp is missing']],
  ['a blank address', '172.20.4.20<', '\n<', ['error v:67 instance i-0c0ffee1: privateIp is missing']],
  [
    'address 0.0.0.0',
    '172.20.4.20<',
    '0.0.0.0<',
    ['error v:67 instance i-0c0ffee1: privateIp "0.0.0.0" is not an IPv4 address an instance can have'],
  ],
  [
    'address 127.0.0.1',
    '172.20.4.20<',
    '127.0.0.1<',
    ['error v:67 instance i-0c0ffee1: privateIp "127.0.0.1" is not an IPv4 address an instance can have'],
  ],
  [
    'a multicast address',
    '172.20.4.20<',
    '224.0.0.1<',
    ['error v:67 instance i-0c0ffee1: privateIp "224.0.0.1" is not an IPv4 address an instance can have'],
  ],
  [
    'an address with a prefix',
    '172.20.4.20<',
    '172.20.4.20/24<',
    ['error v:67 instance i-0c0ffee1: privateIp "172.20.4.20/24" is not an IPv4 address an instance can have'],
  ],
  [
    'an address with a newline',
    '172.20.4.20<',
    '172.20.4.20\n-j ACCEPT<',
    ['error v:67 instance i-0c0ffee1: privateIp "172.20.4.20\\n-j ACCEPT" is not an IPv4 address an instance can have'],
  ],
  [
    'a private address of another',
    '172.20.4.21<',
    '172.20.4.20<',
    ['error v:73 instance i-1db2f604: address 172.20.4.20 is also that of instance i-0c0ffee1 (line 63)'],
  ],
  [
    'a public address of another',
    '203.0.113.17<',
    '203.0.113.16<',
    ['error v:73 instance i-1db2f604: address 203.0.113.16 is also that of instance i-0c0ffee1 (line 63)'],
  ],
  [
    'a private address that is public elsewhere',
    '172.20.4.21<',
    '203.0.113.16<',
    ['error v:73 instance i-1db2f604: address 203.0.113.16 is also that of instance i-0c0ffee1 (line 63)'],
  ],
  [
    'a MAC of another',
    'd0:0d:1d:b2:f6:04',
    'D0-0D-0C-0F-FE-E1',
    ['error v:73 instance i-1db2f604: MAC address d0:0d:0c:0f:fe:e1 is also that of instance i-0c0ffee1 (line 63)'],
  ],
  [
    'a MAC cut short',
    'd0:0d:1d:b2:f6:04',
    'd0:0d:1d:b2:f6',
    ['error v:75 instance i-1db2f604: macAddress "d0:0d:1d:b2:f6" is not a MAC address'],
  ],
  ['an id that is none', 'name="i-0c0ffee1"', 'name="i-0c0ffee1 "', []],
  [
    'an id of the wrong kind',
    'name="i-0c0ffee1"',
    'name="eni-0c0ffee1"',
    ['error v:63 instance eni-0c0ffee1: name "eni-0c0ffee1" is not an instance id (i- and 8 to 17 hexadecimal digits)'],
  ],
  [
    'an unsafe id',
    'name="i-0c0ffee1"',
    'name="i-0c0ff&#x202e;e1"',
    [
      'error v:63 instance "i-0c0ff\\u202ee1": name "i-0c0ff\\u202ee1" is not an instance id (i- and 8 to 17 hexadecimal digits)',
    ],
  ],
  [
    'an instance twice',
    'name="i-9f1e6a35"',
    'name="i-0c0ffee1"',
    ['error v:103 instance i-0c0ffee1: is there twice, also in line 63'],
  ],
  [
    'an unsafe group',
    '<value>sg-51d0c4a2</value>',
    '<value>sg 51</value>',
    [
      'error v:81 instance i-1db2f604: securityGroups "sg 51" is not the name of a group (1 to 127 letters, digits, dots, dashes, colons or underscores)',
    ],
  ],
  [
    'a MAC left out',
    '<macAddress>d0:0d:1d:b2:f6:04</macAddress>',
    '',
    ['warning v:73 instance i-1db2f604: has no MAC address'],
  ],
  [
    'a MAC of zeros',
    'd0:0d:1d:b2:f6:04',
    '00:00:00:00:00:00',
    ['warning v:73 instance i-1db2f604: has no MAC address'],
  ],
  [
    'a MAC of another cloud',
    'd0:0d:1d:b2:f6:04',
    'd0:0e:1d:b2:f6:04',
    ['warning v:73 instance i-1db2f604: MAC address d0:0e:1d:b2:f6:04 has no known prefix'],
  ],
  [
    'a public address that is not ours',
    '203.0.113.17<',
    '203.0.113.61<',
    ['warning v:73 instance i-1db2f604: public address 203.0.113.61 is not in publicIps'],
  ],
  [
    'an address outside the subnet',
    '172.20.4.21<',
    '172.20.5.21<',
    ['warning v:73 instance i-1db2f604: private address 172.20.5.21 is not in 172.20.4.0/24 of cluster az-one'],
  ],
  [
    'an address outside the pool',
    '172.20.4.21<',
    '172.20.4.121<',
    ['warning v:73 instance i-1db2f604: private address 172.20.4.121 is not in privateIps of cluster az-one'],
  ],
  [
    'an unknown group besides a known',
    '<value>sg-51d0c4a2</value>',
    '<value>sg-0</value>',
    ['error v:73 instance i-1db2f604: is in group sg-0, which is not in the view'],
  ],
  ['on no node', '<value>i-9f1e6a35</value>', '', ['warning v:103 instance i-9f1e6a35: is on no node']],
])('instance: %s', (_, from, to, messages) => {
  expect(find(from, to)).toEqual(messages)
})

test.each([
  [
    'no owner',
    '<securityGroup name="sg-0a1b2c3d">\n      <ownerId>000520113071</ownerId>',
    '<securityGroup name="sg-0a1b2c3d">',
    ['error v:116 group sg-0a1b2c3d: ownerId is missing'],
  ],
  [
    'an owner with a quote',
    '<securityGroup name="sg-0a1b2c3d">\n      <ownerId>0',
    `<securityGroup name="sg-0a1b2c3d">\n      <ownerId>'`,
    ['error v:117 group sg-0a1b2c3d: ownerId "\'00520113071" is not an account'],
  ],
  [
    'a name of 29 characters',
    'securityGroup name="sg-9900aa11"',
    `securityGroup name="sg-${'9'.repeat(26)}"`,
    [
      'warning v:156 group sg-51d0c4a2 rule 3: names group sg-9900aa11, which is not in the view; it lets nothing in',
      `warning v:195 securityGroups: groups whose names no chain can have get others: sg-${'9'.repeat(26)} is sg-n09fd2569740d7965ddc5`,
    ],
  ],
  [
    'a name of 128 characters',
    'securityGroup name="sg-9900aa11"',
    `securityGroup name="${'g'.repeat(128)}"`,
    [expect.stringMatching(/^error v:195 group "g{60}\.\.\.": name "g{60}\.\.\." is not the name of a group/)],
  ],
  [
    'a name like an option',
    'securityGroup name="sg-9900aa11"',
    'securityGroup name="-F"',
    [
      'error v:195 group -F: name "-F" is not the name of a group (1 to 127 letters, digits, dots, dashes, colons or underscores)',
    ],
  ],
  [
    'a name like a target',
    'securityGroup name="sg-9900aa11"',
    'securityGroup name="ACCEPT"',
    [
      'warning v:156 group sg-51d0c4a2 rule 3: names group sg-9900aa11, which is not in the view; it lets nothing in',
      'warning v:195 securityGroups: groups whose names no chain can have get others: ACCEPT is sg-n22655acc6c5508dc185b',
    ],
  ],
  [
    'a group twice',
    'securityGroup name="sg-9900aa11"',
    'securityGroup name="sg-0a1b2c3d"',
    ['error v:195 group sg-0a1b2c3d: is there twice, also in line 116'],
  ],
  [
    'rules as text besides none',
    '<ingressRules/>',
    '<rules><value>-P 6 -p 22-22  -s 0.0.0.0/0</value></rules><ingressRules/>',
    ['warning v:197 group sg-9900aa11: has rules as text only; they count here, though not for a node of 4.2 or later'],
  ],
])('group: %s', (_, from, to, messages) => {
  expect(find(from, to)).toEqual(messages)
})

test('two instances of one node may not have one interface, two of different nodes may', () => {
  const long = SOUND.replaceAll('i-2ea53c7b', 'i-0c0ffee1000000000')
  expect(parseView(long, 'v').findings).toEqual([
    {
      severity: 'error',
      scope: 'instance',
      where: 'v:84 instance i-0c0ffee1000000000',
      message: 'interface vn_i-0c0ffee1 is also that of instance i-0c0ffee1 (line 63)',
    },
  ])
  const apart = SOUND.replaceAll('i-9f1e6a35', 'i-0c0ffee1000000000')
  expect(parseView(apart, 'v').findings).toEqual([])
})

test('every defect is reported, in the order of the document', () => {
  const text = SOUND.replace('10.20.0.10', 'x').replace('172.20.4.24', 'x').replace('<protocol>47<', '<protocol>x<')
  const { view, findings } = parseView(text, 'v')
  expect(view).toBeUndefined()
  expect(findings.map(({ where }) => where)).toEqual([
    'v:12 configuration',
    'v:106 instance i-9f1e6a35',
    'v:189 group sg-77e1b0f9 rule 4',
  ])
})

test('a public address that repeats the private one is none', () => {
  const { view } = parseView(SOUND.replace('203.0.113.17<', '172.20.4.21<'), 'v')
  expect(view?.instances.find(({ id }) => id === 'i-1db2f604')).toMatchObject({
    privateAddress: '172.20.4.21',
    publicAddress: undefined,
  })
})

test('what is found by comparing comes in its place, too', () => {
  const text = SOUND.replace('172.20.4.21<', '172.20.4.20<').replace('<protocol>47<', '<protocol>x<')
  expect(parseView(text, 'v').findings.map(({ where }) => where)).toEqual([
    'v:73 instance i-1db2f604',
    'v:189 group sg-77e1b0f9 rule 4',
  ])
})

test('what is listed twice in one place is there once', () => {
  const group = '<value>sg-51d0c4a2</value>'
  const id = '<value>i-9f1e6a35</value>'
  const { view } = parseView(SOUND.replace(group, group + group).replace(id, id + id), 'v')
  expect(view).toEqual(parseView(SOUND, 'v').view)
})

test('an instance that is not in the view is on no node', () => {
  const { view } = parseView(SOUND.replace('<value>i-9f1e6a35</value>', '<value>i-00000000</value>'), 'v')
  expect(view?.clusters[0]?.nodes[1]).toEqual({ name: '10.20.0.32', instances: ['i-1db2f604'] })
})

test('in a network of two addresses each of them can be the gateway', () => {
  const { findings } = parseView(SOUND.replace('255.255.255.0', '255.255.255.254'), 'v')
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([])
})

test('long text is cut in a message', () => {
  const [finding] = parseView(SOUND.replace('EDGE', 'x'.repeat(1000)), 'v').findings
  expect(finding?.message).toBe(`mode "${'x'.repeat(60)}..." is not the name of a mode`)
})
