/** The text files of 3.4: what they mean, and what is said when they are not what they should be. */

import { cpSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ALONE, servedView } from '../../src/commands/served-view.ts'
import { EXIT } from '../../src/error.ts'
import type { Transport } from '../../src/node/transport.ts'
import { parseWire34, STRICT } from '../../src/view/parse.ts'
import { fetchView } from '../../src/view/source/fetch-view.ts'
import { fileOf, renderEverywhere } from './render-everywhere.ts'

const SAMPLE = join(import.meta.dirname, 'samples/wire-3.4')
const NODE = '10.20.0.31'
const SSH = 'sg-n9ad4c8d0dec2367b076f'
const DATABASE = 'sg-n1955f7d545855cb2eaf8'

const NO_TRANSPORT: Transport = { connect: () => Promise.reject(new Error('a folder needs no transport')) }

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wire-'))
  cpSync(SAMPLE, folder, { recursive: true })
})

afterEach(() => rmSync(folder, { recursive: true }))

function fetchFolder() {
  return fetchView({ kind: 'file', file: folder }, NO_TRANSPORT)
}

async function parse(onlyNode: string | undefined = NODE, lenient = false) {
  const { files = [] } = await fetchFolder()
  return parseWire34(files, 'wire', { ...STRICT, lenient }, onlyNode)
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(join(folder, file), 'utf8')
  expect(text).toContain(from)
  writeFileSync(join(folder, file), text.replace(from, to))
}

test('means the view that later clouds would have written', async () => {
  const { view, findings } = await parse()
  expect(findings.map(({ where, message }) => `${where}: ${message}`)).toEqual([
    'wire/network-topology:1 securityGroups: groups whose names no chain can have get others: ' +
      `000520113071-4f7f0a0e-1d2c-4a8e-9b3c-5d6e7f809102 is ${SSH}, 000520113071-8b1e2d3c-4f50-4617-a8b9-c0d1e2f30415 is ${DATABASE}`,
    'wire/network-topology:4 instance i-000000000ac140415: is on no node',
    'wire/network-topology:4 instance i-000000000ac140415: has no MAC address',
  ])
  expect(view).toMatchObject({
    mode: 'EDGE',
    version: undefined,
    cloudController: '10.20.0.10',
    dnsDomain: 'eucalyptus.internal',
    dnsServers: ['10.20.0.10'],
    publicPool: ['203.0.113.18', '203.0.113.19', '203.0.113.60', '203.0.113.16', '203.0.113.17'].map((first) => ({
      first,
      last: first,
    })),
    subnets: [],
    vpcElements: 0,
  })
  expect(view?.clusters).toEqual([
    {
      name: '10.20.0.21',
      controller: '10.20.0.21',
      macPrefix: 'd0:0d',
      subnet: { network: { address: '172.20.4.0', prefix: 24 }, gateway: '172.20.4.1' },
      privatePool: [{ first: '172.20.4.2', last: '172.20.4.254' }],
      nodes: [{ name: NODE, instances: ['i-0C0FFEE1', 'i-2EA53C7B'] }],
    },
  ])
  const owner = '000520113071'
  expect(view?.instances).toEqual([
    {
      id: 'i-0C0FFEE1',
      owner,
      mac: 'd0:0d:0c:0f:fe:e1',
      publicAddress: '203.0.113.16',
      privateAddress: '172.20.4.20',
      groups: [SSH],
    },
    {
      id: 'i-000000000ac140415',
      owner,
      mac: undefined,
      publicAddress: '203.0.113.17',
      privateAddress: '172.20.4.21',
      groups: [SSH],
    },
    {
      id: 'i-2EA53C7B',
      owner,
      mac: 'd0:0d:2e:a5:3c:7b',
      publicAddress: undefined,
      privateAddress: '172.20.4.22',
      groups: [DATABASE],
    },
  ])
  const anywhere = { cidr: { address: '0.0.0.0', prefix: 0 } }
  expect(view?.groups).toEqual([
    {
      id: DATABASE,
      owner,
      ingress: [{ match: { protocol: 'tcp', ports: { from: 5432, to: 5432 } }, source: { group: SSH } }],
    },
    {
      id: SSH,
      owner,
      ingress: [
        { match: { protocol: 'tcp', ports: { from: 22, to: 22 } }, source: anywhere },
        { match: { protocol: 'icmp', type: 'any', code: 'any' }, source: anywhere },
      ],
    },
  ])
})

test('renders, with members on other nodes in the sets', async () => {
  const { view } = servedView(await fetchFolder(), STRICT, { ...ALONE, onlyNode: NODE })
  const [bundle] = renderEverywhere(view)
  expect(bundle && fileOf(bundle, 'ipset.restore').match(/^add .*172\.20\.4\.21$/gm)).toEqual([
    'add EUCA_ALLPRIVATE 172.20.4.21',
    `add ${SSH} 172.20.4.21`,
  ])
})

test('every node has its own file where there are more', async () => {
  edit('local-net', 'i-2EA53C7B br0 NA 11 d0:0d:2e:a5:3c:7b 0.0.0.0 172.20.4.22', '')
  cpSync(join(folder, 'local-net'), join(folder, 'local-net.10.20.0.31'))
  writeFileSync(
    join(folder, 'local-net.10.20.0.32'),
    'CCIP=10.20.0.21\ni-1DB2F604 br0 NA 10 d0:0d:1d:b2:f6:04 203.0.113.17 172.20.4.21\n',
  )
  rmSync(join(folder, 'local-net'))
  writeFileSync(join(folder, 'local-net.stage'), 'half a li')
  const { view } = await parse(undefined)
  expect(view?.clusters[0]?.nodes).toEqual([
    { name: '10.20.0.31', instances: ['i-0C0FFEE1'] },
    { name: '10.20.0.32', instances: ['i-1DB2F604'] },
  ])
  expect(view?.instances).toHaveLength(3)
})

describe('says where', () => {
  test.each<[string, string, string, ...string[]]>([
    ['network-topology', '#MARK\n', '', 'network-topology:5: the last line is not #MARK: the file is not whole'],
    [
      'network-topology',
      'GROUP 000520113071-8',
      'GROOP 000520113071-8',
      'network-topology:5: "GROOP 000520113071-8b1e2d3c-4f50-4617-a8b9-c0d1e2f30415 172...." is neither a RULE nor a GROUP of ACCOUNT-GROUP',
      'local-net:4 instance i-2EA53C7B: securityGroups is missing',
    ],
    [
      'network-topology',
      '-p 22-22',
      '-p 22-',
      'network-topology:1 group 000520113071-4f7f0a0e-1d2c-4a8e-9b3c-5d6e7f809102 rule 1: "-P tcp -p 22-  -s 0.0.0.0/0" is not a rule',
    ],
    [
      'network-topology',
      '172.20.4.21',
      '172.20.4.x',
      'network-topology:4 instance 172.20.4.x: name "172.20.4.x" is not an instance id (i- and 8 to 17 hexadecimal digits)',
      'network-topology:4 instance 172.20.4.x: privateIp "172.20.4.x" is not an IPv4 address an instance can have',
    ],
    [
      'config-cc',
      'VNET_MODE=EDGE\n',
      '',
      'config-cc:1 configuration: mode is missing, as it is in every view before 4.2: say it, --mode NAME',
    ],
    [
      'config-cc',
      'CLCIP=10.20.0.10',
      'CLCIP=clc',
      'config-cc:10 configuration: enabledCLCIp "clc" is not a usable IPv4 address',
    ],
    [
      'config-cc',
      'VNET_ROUTER=172.20.4.1',
      'VNET_ROUTER=172.20.5.1',
      'config-cc:3 cluster 10.20.0.21 subnet: gateway 172.20.5.1 is not in 172.20.4.0/24',
    ],
    [
      'config-cc',
      'IPMAP=203.0.113.18 0.0.0.0',
      'IPMAP=203.0.113.18',
      'config-cc:11: IPMAP "203.0.113.18" is not two addresses',
    ],
    ['config-cc', 'EUCALYPTUS=/', 'Not found', 'config-cc:1: "Not found" is not KEY=value'],
    ['config-cc', 'EUCALYPTUS=/', 'CLCIP=10.20.0.10', 'config-cc:10: CLCIP is there twice'],
    [
      'local-net',
      'NA 10 ',
      '',
      'local-net:3: "i-0C0FFEE1 br0 d0:0d:0c:0f:fe:e1 203.0.113.16 172.20.4.20" is not an instance of seven columns',
    ],
    ['local-net', 'd0:0d:0c:0f:fe:e1', 'x', 'local-net:3 instance i-0C0FFEE1: macAddress "x" is not a MAC address'],
    [
      'local-net',
      'CCIP=10.20.0.21\n',
      '',
      'config-cc:1 cluster: name is missing',
      'config-cc:1 cluster: enabledCCIp is missing',
    ],
  ])('%s: %j is %j', async (file, from, to, ...messages) => {
    edit(file, from, to)
    const { view, findings } = await parse()
    expect(view).toBeUndefined()
    const errors = findings.filter(({ severity }) => severity === 'error')
    expect(errors.map(({ where, message }) => `${where}: ${message}`.replace('wire/', '')).toSorted()).toEqual(
      messages.toSorted(),
    )
  })

  test('whose a file is, when nothing does', async () => {
    const { findings } = await parse('')
    expect(findings.map(({ message }) => message)).toContain('name is missing')
    const { files = [] } = await fetchFolder()
    expect(
      parseWire34(files, 'wire', STRICT, undefined).findings.map(({ where, message }) => `${where}: ${message}`),
    ).toContain('wire/local-net:1: nothing says whose it is: call it local-net.ADDRESS')
  })
})

test('a lenient reading leaves out an instance of it, too', async () => {
  edit('local-net', 'd0:0d:0c:0f:fe:e1', 'x')
  const { view, leftOut } = await parse(NODE, true)
  expect(view?.withheld).toEqual(['172.20.4.20'])
  expect(leftOut).toBe(1)
})

describe('a folder', () => {
  test('is as old as the oldest of its files, and its text is all of them', async () => {
    const old = new Date('2026-01-02T03:04:05Z')
    utimesSync(join(folder, 'local-net'), old, old)
    const { modified, origin, text } = await fetchFolder()
    expect(modified).toEqual(old)
    expect(origin).toBe(folder)
    for (const name of ['config-cc', 'network-topology', 'local-net']) {
      expect(text).toContain(`==> ${name} <==\n${readFileSync(join(folder, name), 'utf8')}`)
    }
    expect(text).not.toContain('eucalyptus.conf')
  })

  test('without the files is exit code 66', async () => {
    rmSync(join(folder, 'local-net'))
    rmSync(join(folder, 'config-cc'))
    await expect(fetchFolder()).rejects.toMatchObject({
      exitCode: EXIT.noInput,
      message: `${folder} is a folder, and without config-cc and local-net it is not a view`,
    })
  })
})
