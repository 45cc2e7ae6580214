import { expect, test } from 'vitest'
import { loadDocument } from '../../src/config/document.ts'
import { INVENTORY_SCHEMA } from '../../src/config/inventory.schema.ts'
import { EXIT } from '../../src/error.ts'
import { refusalOf, writeFiles } from './files.ts'

function load(folder: string) {
  return loadDocument(`${folder}/lab.yml`, '--inventory', INVENTORY_SCHEMA)
}

const HEAD = 'cloud: lab\nnodes:\n'

test.each<[string, string, ...string[]]>([
  ['an empty file', '', '1:1: must be an inventory: a map with the keys cloud and nodes, not nothing'],
  ['a list', '- a\n', '1:1: must be an inventory: a map with the keys cloud and nodes, not a list'],
  [
    'a misspelt key at the top',
    'clod: lab\nnodes: { a: { address: 10.1.1.1 } }\n',
    '1:1: key "cloud" is missing: a name of lower-case letters, digits, ".", "_" and "-" that starts with a letter or digit',
    '1:1: unknown key "clod" (did you mean "cloud"?)',
  ],
  [
    'misspelt keys below, at the key and not at its value',
    `${HEAD}  nc-01:\n    address: 10.1.1.1\n    optoins:\n      A: b\n    ssh: { usr: root, tunnel: b }\n`,
    '5:5: nodes.nc-01: unknown key "optoins" (did you mean "options"?)',
    '7:12: nodes.nc-01.ssh: unknown key "usr" (did you mean "user"?)',
    '7:23: nodes.nc-01.ssh: unknown key "tunnel"',
  ],
  [
    'a missing key, at the map that lacks it',
    `${HEAD}  nc.01: {}\n`,
    '3:3: nodes."nc.01": key "address" is missing: the IPv4 address under which the cloud knows the node, such as 10.111.5.51',
  ],
  [
    'a node without a value',
    `${HEAD}  nc-01:\n`,
    '3:3: nodes.nc-01: must be a map such as { address: 10.111.5.51 }, not nothing',
  ],
  [
    'no nodes',
    'cloud: lab\nnodes: {}\n',
    '2:1: nodes: must be a map of at least one node such as nc-01: { address: 10.111.5.51 }, not an empty map',
  ],
  [
    'addresses that are none',
    `${HEAD}  a: { address: 10.1.1 }\n  b: { address: 10.01.1.1 }\n  c: { address: nc-01 }\n`,
    '3:17: nodes.a.address: must be the IPv4 address under which the cloud knows the node, such as 10.111.5.51, not "10.1.1"',
    '4:17: nodes.b.address: must be the IPv4 address under which the cloud knows the node, such as 10.111.5.51, not "10.01.1.1"',
    '5:17: nodes.c.address: must be the IPv4 address under which the cloud knows the node, such as 10.111.5.51, not "nc-01"',
  ],
  [
    'names that are none',
    'cloud: -x\ngroups:\n  A: { nodes: [a] }\nnodes:\n  a/b: { address: 10.1.1.1 }\n  __proto__: { address: 10.1.1.2 }\n',
    '1:8: cloud: must be a name of lower-case letters, digits, ".", "_" and "-" that starts with a letter or digit, not "-x"',
    '3:3: groups: key "A" must be a name of lower-case letters, digits, ".", "_" and "-" that starts with a letter or digit',
    '5:3: nodes: key "a/b" must be a name of lower-case letters, digits, ".", "_" and "-" that starts with a letter or digit',
    '6:3: nodes: key "__proto__" must be a name of lower-case letters, digits, ".", "_" and "-" that starts with a letter or digit',
  ],
  [
    'an unknown role',
    `defaults: { role: cl }\n${HEAD}  a: { address: 10.1.1.1, role: 1 }\n`,
    '1:19: defaults.role: must be nc, cc or clc, not "cl" (did you mean "cc" or "clc"?)',
    '4:33: nodes.a.role: must be nc, cc or clc, not the number 1',
  ],
  [
    'options that are no text',
    `defaults: { options: { A: true, B: [x], C: , D: "a\\nb", vnet: x } }\n${HEAD}  a: { address: 10.1.1.1 }\n`,
    '1:27: defaults.options.A: must be one line of text or a number (in quotes: "true", "false", "null"), not the boolean true',
    '1:33: defaults.options.B: must be one line of text or a number (in quotes: "true", "false", "null"), not a list',
    '1:41: defaults.options.C: must be one line of text or a number (in quotes: "true", "false", "null"), not nothing',
    '1:49: defaults.options.D: must be one line of text or a number (in quotes: "true", "false", "null"), not "a\\nb"',
    '1:57: defaults.options: key "vnet" must be the name of an option as eucalyptus.conf spells it, such as VNET_BRIDGE',
  ],
  [
    'logins that are none',
    `defaults: { ssh: { port: 0, user: -l, host: -o, key: ~bob/id, known_hosts: [], become: su } }\n${HEAD}  a: { address: 10.1.1.1 }\n`,
    '1:26: defaults.ssh.port: must be a port between 1 and 65535, not the number 0',
    '1:35: defaults.ssh.user: must be the name of a user, not "-l"',
    '1:45: defaults.ssh.host: must be a host name or address to connect to, not "-o"',
    '1:54: defaults.ssh.key: must be the path of a private key: absolute, from "~/", or relative to this file, not "~bob/id"',
    '1:63: defaults.ssh.known_hosts: must be the path of a known_hosts file, or a list of such paths, not an empty list',
    '1:88: defaults.ssh.become: must be the word sudo: root by sudo; absent, the login is root\'s, not "su"',
  ],
  [
    'jump hosts that are none',
    `defaults: { ssh: { jump: [a, b@, "c:0"], handshakes: 0, config: ~eve/c } }\n${HEAD}  a: { address: 10.1.1.1, ssh: { jump: -oX } }\n`,
    '1:30: defaults.ssh.jump[1]: must be a jump host such as bastion, ops@bastion or ops@10.0.0.1:2222, not "b@"',
    '1:34: defaults.ssh.jump[2]: must be a jump host such as bastion, ops@bastion or ops@10.0.0.1:2222, not "c:0"',
    '1:54: defaults.ssh.handshakes: must be the number of nodes behind one jump host that log in at a time, 1 or more, not the number 0',
    '1:65: defaults.ssh.config: must be the path of a file of ssh_config(5) that is asked about what is not said here, such as ~/.ssh/config, not "~eve/c"',
    '4:40: nodes.a.ssh.jump: must be a jump host such as ops@bastion, a list of them (the first is reached from here), or the word none, not "-oX"',
  ],
  [
    'algorithms that nobody has',
    `defaults: { ssh: { algorithms: old } }\n${HEAD}  a: { address: 10.1.1.1, ssh: { algorithms: { ciphers: [none], mac: [] } } }\n`,
    '1:32: defaults.ssh.algorithms: must be the word legacy (all that old servers may need), or a map such as { ciphers: [aes128-cbc] }, not "old"',
    '4:58: nodes.a.ssh.algorithms.ciphers[0]: must be one of aes256-cbc, aes192-cbc, aes128-cbc, 3des-cbc, not "none"',
    '4:65: nodes.a.ssh.algorithms: unknown key "mac" (did you mean "macs"?)',
  ],
  [
    'groups of nothing, and of the same node twice',
    `groups:\n  g: { nodes: [] }\n  h: { nodes: [a, b, a] }\n${HEAD}  a: { address: 10.1.1.1 }\n`,
    '2:8: groups.g.nodes: must be a list of at least one node of this inventory, not an empty list',
    '3:22: groups.h.nodes[2]: stands twice in the same list',
  ],
  [
    'facts that are none',
    `${HEAD}  a: { address: 10.1.1.1, facts: { bridge_mac: 02-00, bridge_addresses: [10.1.1.1, 10.1.1.1/33] } }\n`,
    '3:48: nodes.a.facts.bridge_mac: must be the MAC address of the bridge, such as "02:00:00:00:00:52", not "02-00"',
    '3:74: nodes.a.facts.bridge_addresses[0]: must be an address with its prefix length, such as 10.111.5.52/16, not "10.1.1.1"',
    '3:84: nodes.a.facts.bridge_addresses[1]: must be an address with its prefix length, such as 10.111.5.52/16, not "10.1.1.1/33"',
  ],
  [
    'a syntax error',
    `${HEAD}  a: { address: 10.1.1.1\n`,
    '4:1: Flow map in block collection must be sufficiently indented and end with a }',
  ],
  [
    'a duplicate key',
    `${HEAD}  a: { address: 10.1.1.1 }\n  a: { address: 10.1.1.2 }\n`,
    '4:3: key a stands twice in the same map',
  ],
  ['a tab', 'cloud: lab\nnodes:\n\ta: {}\n', '3:1: Tabs are not allowed as indentation'],
  ['an unknown tag', 'cloud: !env CLOUD\n', '1:8: Unresolved tag: !env'],
  [
    'a second document',
    `${HEAD}  a: { address: 10.1.1.1 }\n---\n`,
    '4:1: a second document starts here: one document per file',
  ],
  ['a key that is no text', '[a, b]: c\n', '1:1: With stringKeys, all keys must be strings'],
  ['an alias of nothing', 'cloud: *lab\n', '1:8: no anchor &lab stands before this alias'],
  ['an alias of itself', 'x-a: &a { b: *a }\n', '1:14: alias *a stands inside what it repeats'],
])('refuses %s', (_, text, ...lines) => {
  const folder = writeFiles({ 'lab.yml': text })
  const message = lines.map((line) => `lab.yml:${line}`).join('\n')
  expect(refusalOf(folder, () => load(folder))).toMatchObject({ exitCode: EXIT.badConfig, message })
})

test('refuses aliases that unfold without end, at the last of them', () => {
  const levels = Array.from({ length: 20 }, (_, i) => `x-${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}*l${i}]`)
  const folder = writeFiles({ 'lab.yml': ['x-0: &l0 [a]', ...levels, 'cloud: *l20'].join('\n') })
  const { message } = refusalOf(folder, () => load(folder))
  expect(message).toBe('lab.yml:22:8: aliases of aliases unfold to too much')
})

test('lets every node of a large cloud use the same anchor', () => {
  const nodes = Array.from({ length: 2000 }, (_, i) => `  n${i}: { address: 10.1.${i >> 8}.${i & 255}, ssh: *login }`)
  const folder = writeFiles({
    'lab.yml': ['x-login: &login { user: eve }', 'cloud: lab', 'nodes:', ...nodes].join('\n'),
  })
  expect(load(folder).value.nodes.n1999?.ssh).toEqual({ user: 'eve' })
})

test.each([
  ['a missing file', 'nope.yml', 'nope.yml: no such file (named by --inventory)'],
  ['a folder', 'sub', 'sub: is a folder, not a file (named by --inventory)'],
])('refuses %s', (_, name, message) => {
  const folder = writeFiles({ 'sub/lab.yml': HEAD })
  const refusal = refusalOf(folder, () => loadDocument(`${folder}/${name}`, '--inventory', INVENTORY_SCHEMA))
  expect(refusal).toMatchObject({ exitCode: EXIT.noInput, message })
})

test('leaves out keys that start with x- at every level', () => {
  const folder = writeFiles({
    'lab.yml': [
      'x-note: [1, { a: b }]',
      'cloud: lab',
      'nodes:',
      '  x-spare: yes',
      '  a: { address: 10.1.1.1, x-rack: 7, options: { x-why: because, NC_ROUTER: Y } }',
    ].join('\n'),
  })
  const document = load(folder)
  expect(document.value).toEqual({ cloud: 'lab', nodes: { a: { address: '10.1.1.1', options: { NC_ROUTER: 'Y' } } } })
  expect(document.keys(['nodes'])).toEqual(['a'])
})

test('says where a value, a key and what is missing stand', () => {
  const folder = writeFiles({
    'lab.yml': [
      'x-login: &login { user: eve }',
      'cloud: lab',
      'nodes:',
      '  "10":',
      '    address: 10.1.1.1',
      '    ssh: *login',
      '    options: { A: 0755, B: "1.10", C: 1.10 }',
      '  9: { address: 10.1.1.2 }',
    ].join('\n'),
  })
  const document = load(folder)
  const option = ['nodes', '10', 'options', 'A']
  const places = [
    document.where(option),
    document.whereKey(option),
    document.where(['nodes', '10']),
    document.where(['nodes', '10', 'ssh']),
    document.where(['nodes', '10', 'ssh', 'user']),
    document.where(['nodes', '10', 'facts', 'bridge_mac']),
    document.where(['cloud']),
  ]
  expect(places.map((place) => place.replace(`${folder}/lab.yml:`, ''))).toEqual([
    '7:19',
    '7:16',
    '4:3',
    '6:10',
    '1:25',
    '4:3',
    '2:8',
  ])
  expect(['A', 'B', 'C'].map((name) => document.written(['nodes', '10', 'options', name]))).toEqual([
    '0755',
    '1.10',
    '1.10',
  ])
  expect(document.keys(['nodes'])).toEqual(['10', '9'])
})

test('adds the defects that later checks find, in the order of the file', () => {
  const folder = writeFiles({ 'lab.yml': `${HEAD}  a: { address: 10.1.1.1 }\n  b: { address: 10.1.1.2 }\n` })
  const document = load(folder)
  const { message } = refusalOf(folder, () =>
    document.refuse([
      { path: ['nodes', 'b', 'address'], problem: 'is far away' },
      { path: ['nodes'], atKey: 'a', problem: 'is not to my taste' },
    ]),
  )
  expect(message).toBe('lab.yml:3:3: nodes: is not to my taste\nlab.yml:4:17: nodes.b.address: is far away')
  expect(() => document.refuse([])).not.toThrow()
})
