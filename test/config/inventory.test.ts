import { homedir } from 'node:os'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Inventory, loadInventory } from '../../src/config/inventory.ts'
import { EXIT } from '../../src/error.ts'
import { refusalOf, writeFiles } from './files.ts'

function load(text: string): { readonly folder: string; readonly inventory: Inventory } {
  const folder = writeFiles({ 'inventories/lab.yml': text })
  return { folder, inventory: loadInventory(`${folder}/inventories/lab.yml`, '--inventory') }
}

function refusalFor(text: string) {
  const folder = writeFiles({ 'lab.yml': text })
  return refusalOf(folder, () => loadInventory(`${folder}/lab.yml`, '--inventory'))
}

test('resolves a node that says everything and one that says as little as it may', () => {
  const { folder, inventory } = load(`
cloud: lab
defaults:
  role: nc
groups:
  far: { nodes: [nc-05, nc-01], role: cc }
nodes:
  nc-05:
    address: 10.111.5.55
    role: clc
    ssh: { host: nc-05.mgmt, port: 2222, user: eve, key: ./keys/lab, known_hosts: [/etc/known, ~/known, ../known] }
    profile: hardened
    persist: true
    options: { NC_ROUTER: N, POLLING_FREQUENCY: 1 }
    facts: { bridge_mac: 02:00:00:00:00:FF, bridge_addresses: [10.111.5.55/16], eucalyptus_version: 5.10 }
  nc-01: { address: 10.111.5.51 }
`)
  expect(inventory).toEqual({
    cloud: 'lab',
    file: `${folder}/inventories/lab.yml`,
    groups: [{ name: 'far', nodes: ['nc-01', 'nc-05'] }],
    nodes: [
      {
        name: 'nc-01',
        address: '10.111.5.51',
        role: 'cc',
        profile: 'compatible',
        persist: false,
        options: {},
        facts: undefined,
        where: `${folder}/inventories/lab.yml:16:3`,
        target: {
          name: 'nc-01',
          inventory: `${folder}/inventories/lab.yml`,
          host: '10.111.5.51',
          port: 22,
          user: 'root',
          key: undefined,
          knownHosts: [`${homedir()}/.ssh/known_hosts`],
          connectTimeout: 10_000,
        },
      },
      {
        name: 'nc-05',
        address: '10.111.5.55',
        role: 'clc',
        profile: 'hardened',
        persist: true,
        options: {
          NC_ROUTER: { value: 'N', where: `${folder}/inventories/lab.yml:14:27` },
          POLLING_FREQUENCY: { value: '1', where: `${folder}/inventories/lab.yml:14:49` },
        },
        facts: { bridge: { mac: '02:00:00:00:00:ff', addresses: ['10.111.5.55/16'] }, eucalyptusVersion: '5.10' },
        where: `${folder}/inventories/lab.yml:8:3`,
        target: {
          name: 'nc-05',
          inventory: `${folder}/inventories/lab.yml`,
          host: 'nc-05.mgmt',
          port: 2222,
          user: 'eve',
          key: `${folder}/inventories/keys/lab`,
          knownHosts: ['/etc/known', `${homedir()}/known`, `${folder}/known`],
          connectTimeout: 10_000,
        },
      },
    ],
  })
})

test('merges the maps of a login and replaces its lists', () => {
  const { folder, inventory } = load(`
cloud: lab
defaults: { role: nc, ssh: { user: eve, port: 2222, become: sudo, known_hosts: [a, b] } }
groups: { g: { nodes: [n], ssh: { known_hosts: c, key: k } } }
nodes: { n: { address: 10.1.1.1, ssh: { port: 22 } } }
`)
  expect(inventory.nodes[0]?.target).toMatchObject({
    user: 'eve',
    become: 'sudo',
    port: 22,
    key: `${folder}/inventories/k`,
    knownHosts: [`${folder}/inventories/c`],
  })
})

test('goes through the jump hosts that are said, and leaves to a file of OpenSSH what is not', () => {
  const { folder, inventory } = load(`
cloud: lab
defaults: { role: nc, ssh: { jump: ops@bastion, config: ./ssh_config } }
groups: { far: { nodes: [b], ssh: { jump: [bastion, "10.0.0.1:2222"], handshakes: 32 } } }
nodes:
  a: { address: 10.1.1.1, ssh: { user: root, known_hosts: k } }
  b: { address: 10.1.1.2, ssh: { port: 22, key: k } }
  c: { address: 10.1.1.3, ssh: { jump: none } }
`)
  const config = `${folder}/inventories/ssh_config`
  expect(inventory.nodes.map(({ target }) => target)).toMatchObject([
    { jump: ['ops@bastion'], handshakes: undefined, config, leaves: ['host', 'port', 'key'] },
    { jump: ['bastion', '10.0.0.1:2222'], handshakes: 32, config, leaves: ['host', 'user', 'knownHosts'] },
    { jump: undefined, config, leaves: ['host', 'port', 'user', 'key', 'knownHosts'] },
  ])
})

test('adds algorithms for old servers: all that there are, or those that are named', () => {
  const { inventory } = load(`
cloud: lab
defaults: { role: nc }
groups: { old: { nodes: [a], ssh: { algorithms: legacy } } }
nodes:
  a: { address: 10.1.1.1 }
  b: { address: 10.1.1.2, ssh: { algorithms: { ciphers: [aes128-cbc], host_keys: [ssh-dss] } } }
  c: { address: 10.1.1.3 }
`)
  expect(inventory.nodes.map(({ target }) => target.algorithms)).toEqual([
    {
      keyExchange: ['diffie-hellman-group-exchange-sha1', 'diffie-hellman-group14-sha1', 'diffie-hellman-group1-sha1'],
      ciphers: ['aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'],
      hostKeys: ['ssh-dss'],
      macs: ['hmac-sha1-96', 'hmac-md5', 'hmac-md5-96'],
    },
    { keyExchange: [], ciphers: ['aes128-cbc'], hostKeys: ['ssh-dss'], macs: [] },
    undefined,
  ])
})

test('becomes root by sudo only where that is said', () => {
  const { inventory } = load(`
cloud: lab
defaults: { role: nc }
groups: { g: { nodes: [b], ssh: { become: sudo } } }
nodes:
  a: { address: 10.1.1.1, ssh: { user: eve, become: sudo } }
  b: { address: 10.1.1.2 }
  c: { address: 10.1.1.3, ssh: { user: eve } }
`)
  expect(inventory.nodes.map(({ target }) => [target.user, target.become])).toEqual([
    ['eve', 'sudo'],
    ['root', 'sudo'],
    ['eve', undefined],
  ])
})

const optionNames = ['A', 'B', 'C'] as const
const someOptions = fc.subarray([...optionNames])
const someGroups = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('10', '9', 'b', 'a', 'constructor'),
    isMember: fc.boolean(),
    options: someOptions,
  }),
  { selector: ({ name }) => name },
)

test('the last layer that sets an option wins: defaults, groups in file order, node', () => {
  fc.assert(
    fc.property(someOptions, someGroups, someOptions, (inDefaults, groups, inNode) => {
      const write = (layer: string, names: readonly string[]) =>
        `{ ${names.map((name) => `${name}: ${layer}`).join(', ')} }`
      const { inventory } = load(
        [
          'cloud: lab',
          `defaults: { role: nc, options: ${write('in-defaults', inDefaults)} }`,
          'groups:',
          '  x-none: {}',
          ...groups.map(
            ({ name, isMember, options }) =>
              `  ${name}: { nodes: [${isMember ? 'n' : 'other'}], options: ${write(`in-${name}`, options)} }`,
          ),
          `nodes: { n: { address: 10.1.1.1, options: ${write('in-node', inNode)} }, other: { address: 10.1.1.2 } }`,
        ].join('\n'),
      )
      const layers = [
        { layer: 'in-defaults', options: inDefaults },
        ...groups.filter(({ isMember }) => isMember).map(({ name, options }) => ({ layer: `in-${name}`, options })),
        { layer: 'in-node', options: inNode },
      ]
      const expected = optionNames.flatMap((name) => {
        const winner = layers.findLast(({ options }) => options.includes(name))
        return winner ? [[name, winner.layer]] : []
      })
      const options = Object.entries(inventory.nodes[0]?.options ?? {})
      expect(options.map(([name, { value }]) => [name, value])).toEqual(expected)
    }),
    { numRuns: 200 },
  )
})

test('an option points to the layer that won', () => {
  const { folder, inventory } = load(`
cloud: lab
defaults: { role: nc, options: { NC_ROUTER: Y, NC_PROXY: N } }
groups: { g: { nodes: [n], options: { NC_ROUTER: N } } }
nodes: { n: { address: 10.1.1.1 } }
`)
  expect(inventory.nodes[0]?.options).toEqual({
    NC_PROXY: { value: 'N', where: `${folder}/inventories/lab.yml:3:58` },
    NC_ROUTER: { value: 'N', where: `${folder}/inventories/lab.yml:4:50` },
  })
})

test.each<[string, string, ...string[]]>([
  [
    'two nodes with the same address',
    'nodes:\n  b: { address: 10.1.1.1 }\n  a: { address: 10.1.1.1, ssh: { host: a } }\n',
    '5:17: nodes.a.address: 10.1.1.1 is already the address of "b"',
  ],
  [
    'two nodes behind the same login',
    'nodes:\n  a: { address: 10.1.1.1 }\n  b: { address: 10.1.1.2, ssh: { host: 10.1.1.1 } }\n  c: { address: 10.1.1.3, ssh: { host: 10.1.1.1, port: 23 } }\n  d: { address: 10.1.1.4, ssh: { host: 10.1.1.1, jump: j } }\n',
    '5:3: nodes.b: ssh would log in to root@10.1.1.1:22, which is "a"',
  ],
  [
    'a group of a node that is not there',
    'groups: { g: { nodes: [nc-10, constructor] } }\nnodes: { nc-01: { address: 10.1.1.1 } }\n',
    '3:24: groups.g.nodes[0]: no node is named "nc-10" (did you mean "nc-01"?)',
    '3:31: groups.g.nodes[1]: no node is named "constructor"',
  ],
  [
    'a group and a node of the same name',
    'groups: { a: { nodes: [a] } }\nnodes: { a: { address: 10.1.1.1 } }\n',
    '3:11: groups: "a" is already the name of a node',
  ],
  [
    'all as a name',
    'groups: { all: { nodes: [a] } }\nnodes: { a: { address: 10.1.1.1 }, all: { address: 10.1.1.2 } }\n',
    '3:11: groups: "all" means every node; choose another name',
    '3:11: groups: "all" is already the name of a node',
    '4:36: nodes: "all" means every node; choose another name',
  ],
])('refuses %s', (_, text, ...lines) => {
  const message = lines.map((line) => `lab.yml:${line}`).join('\n')
  expect(refusalFor(`cloud: lab\ndefaults: { role: nc }\n${text}`)).toMatchObject({ exitCode: EXIT.badConfig, message })
})

test('refuses a node without a role', () => {
  const { message } = refusalFor(
    'cloud: lab\ngroups: { g: { nodes: [b], role: cc } }\nnodes:\n  a: { address: 10.1.1.1 }\n  b: { address: 10.1.1.2 }\n',
  )
  expect(message).toBe('lab.yml:4:3: nodes.a: role is missing here, in its groups and in defaults: nc, cc or clc')
})
