/** A cloud that publishes no view, from its files to the record; no node is there to be pushed to. */

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { edgepush } from './cli.ts'

const CONF = `VNET_MODE="MANAGED-NOVLAN"
VNET_SUBNET="172.16.0.0"
VNET_NETMASK="255.255.0.0"
VNET_ADDRSPERNET="32"
VNET_DNS="10.1.1.254"
VNET_PUBLICIPS="10.111.101.80-10.111.101.99 !10.111.101.90"
`

const HEAD = `cloud_controller: 10.111.1.50
clusters:
  one: { controller: 127.7.14.1, nodes: [127.7.14.2] }
groups:
  sg-11111111: { rules: ["-P tcp -p 22-22 -s 0.0.0.0/0"] }
  sg-33333333: {}
  sg-22222222: { rules: ["-P tcp -p 80-90 -o sg-11111111 -u 000111222333"] }
instances:
`
const ONE = '  i-0000aaa1: { node: 127.7.14.2, groups: [sg-11111111], public_address: 10.111.101.91 }\n'
const TWO = '  i-0000bbb1: { node: 127.7.14.2, groups: [sg-22222222] }\n'
const THREE = '  i-0000ccc1: { node: 127.7.14.2, groups: [sg-33333333] }\n'

const INVENTORY = `cloud: old
defaults: { ssh: { key: none, known_hosts: none } }
nodes:
  cc: { address: 127.7.14.1, role: cc, options: { VNET_PUBINTERFACE: eth0, VNET_PRIVINTERFACE: eth1 }, facts: {} }
  nc: { address: 127.7.14.2, role: nc, options: { VNET_BRIDGE: br0 }, facts: {} }
`

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-configured-'))
  put('eucalyptus.conf', CONF)
  put('instances.yml', HEAD + ONE + TWO)
  put('inventory.yml', INVENTORY)
  playbook('{ file: ./eucalyptus.conf, instances: ./instances.yml }')
})

afterEach(() => rmSync(folder, { recursive: true }))

function put(file: string, text: string): void {
  writeFileSync(join(folder, file), text)
}

function playbook(source: string): void {
  put(
    'push.yml',
    `name: old\ninventory: ./inventory.yml\nsource: ${source}\nstages:\n  - { name: all, targets: [all] }\n`,
  )
}

const run = (...args: readonly string[]) => edgepush(args, folder, join(folder, 'state'))

/** Who has what, without the time. */
async function shown(): Promise<readonly string[]> {
  const { stdout } = await run('show')
  return stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ +/).slice(1, -1).join(' '))
}

it('is rendered from its files, by a playbook or as a folder; nothing is kept', async () => {
  const byPlaybook = await run('render', 'push.yml', '--node', 'cc')
  expect([byPlaybook.code, byPlaybook.stderr]).toEqual([
    0,
    `note: group sg-11111111 would get tag 2
note: group sg-22222222 would get tag 3
note: instance i-0000aaa1 would get 172.16.0.9
note: instance i-0000bbb1 would get 172.16.0.41
`,
  ])
  expect(byPlaybook.stdout).toContain(
    '-A sg-22222222 -s 172.16.0.0/27 -d 172.16.0.32/27 -p tcp -m tcp --dport 80:90 -j ACCEPT',
  )
  expect(byPlaybook.stdout).toContain('host node-172.16.0.9 {\n    hardware ethernet D0:0D:00:00:AA:A1;')
  expect(await run('render', '-i', 'inventory.yml', '--view', '.', '--node', 'cc')).toEqual(byPlaybook)
  expect(await run('show')).toMatchObject({ code: 0, stdout: 'nothing was given out\n' })
})

it('is kept by a push before any node is asked, and not free before one has come to a good end', async () => {
  await run('push', 'push.yml')
  const both = [
    'group sg-11111111 2 172.16.0.0/27 - -',
    'group sg-22222222 3 172.16.0.32/27 - -',
    'instance i-0000aaa1 2 172.16.0.0/27 9 172.16.0.9',
    'instance i-0000bbb1 3 172.16.0.32/27 9 172.16.0.41',
  ]
  expect(await shown()).toEqual(both)
  const first = await run('show', '--json')
  await run('push', 'push.yml')
  expect(await run('show', '--json')).toEqual(first)

  put('instances.yml', HEAD + TWO)
  expect((await run('render', 'push.yml', '--node', 'cc')).stderr).toBe(
    'note: what group sg-11111111 has had would be free\nnote: what instance i-0000aaa1 has had would be free\n',
  )
  await run('push', 'push.yml')
  expect(await shown()).toEqual(both)
  put('instances.yml', HEAD + TWO + THREE)
  await run('push', 'push.yml')
  expect(await shown()).toEqual([
    ...both.slice(0, 2),
    'group sg-33333333 4 172.16.0.64/27 - -',
    ...both.slice(2),
    'instance i-0000ccc1 4 172.16.0.64/27 9 172.16.0.73',
  ])
})

it('has its list from a command, which is found beside the playbook', async () => {
  playbook('{ file: ./eucalyptus.conf, instances: { command: [./list, instances.yml] } }')
  put('list', '#!/bin/sh\ncat "$1"\n')
  chmodSync(join(folder, 'list'), 0o755)
  expect(await run('render', 'push.yml', '--node', 'cc')).toMatchObject({ code: 0 })
  put('list', '#!/bin/sh\necho "no database" >&2\nexit 3\n')
  expect(await run('render', 'push.yml', '--node', 'cc')).toMatchObject({
    code: 69,
    stderr: `edgepush: ${folder}/list instances.yml, which lists the instances, ended with 3: "no database"
  try it by hand: ${folder}/list instances.yml
`,
  })
  playbook('{ file: ./eucalyptus.conf, instances: { command: [no-such-program] } }')
  expect(await run('render', 'push.yml')).toMatchObject({
    code: 66,
    stderr: 'edgepush: there is no program to list the instances: no-such-program\n',
  })
})

it.each([
  [
    'eucalyptus.conf',
    `${CONF}VNET_NETMASK="255.0.0.255"\n`,
    65,
    'eucalyptus.conf:7: VNET_NETMASK is there twice, also in line 3',
  ],
  [
    'eucalyptus.conf',
    CONF.replace('"32"', '"33"'),
    65,
    'eucalyptus.conf:4: VNET_ADDRSPERNET "33" is not a power of two',
  ],
  ['eucalyptus.conf', CONF.replace('MANAGED-NOVLAN', 'EDGE'), 65, 'a cloud of mode EDGE publishes a view'],
  ['eucalyptus.conf', CONF.replace('MANAGED-NOVLAN', 'VPCMIDO'), 65, "the view's mode is VPCMIDO; this version serves"],
  [
    'instances.yml',
    HEAD.replace('groups:', 'group:'),
    78,
    'instances.yml:4:1: unknown key "group" (did you mean "groups"?)',
  ],
  [
    'instances.yml',
    HEAD + TWO.replace('sg-22222222', 'sg-44444444'),
    65,
    'instances.yml:9 instance i-0000bbb1: is in group',
  ],
  [
    'instances.yml',
    HEAD.replace('-p 22-22', '-p 22') + ONE,
    65,
    'instances.yml:5 group sg-11111111 rule 1: "-P tcp -p 22 -s 0.0.0.0/0" is not a rule',
  ],
])('%#: is refused when %s is wrong, with the line', async (file, text, code, problem) => {
  put(file, text)
  const ended = await run('render', 'push.yml')
  expect(ended.code).toBe(code)
  expect(ended.stderr).toContain(problem)
})

it('is refused without its list', async () => {
  rmSync(join(folder, 'instances.yml'))
  expect(await run('render', 'push.yml')).toMatchObject({
    code: 66,
    stderr: 'edgepush: there is no file instances.yml\n',
  })
  expect(await run('render', '-i', 'inventory.yml', '--view', '.')).toMatchObject({
    code: 66,
    stderr: 'edgepush: . is a folder, and without instances.yml it is not a view\n',
  })
})
