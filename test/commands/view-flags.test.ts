/** How a view is read: --view, --mode and --lenient, and what a playbook says about them. */

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { edgepush } from './cli.ts'

const SAMPLES = join(import.meta.dirname, '../view/samples')
const NODE = 'facts: { bridge_mac: "02:00:00:00:00:01", bridge_addresses: [172.20.4.1/24] }, ssh: { host: 127.0.0.1'
const DEFAULTS = `cloud: lab
defaults: { role: nc, ssh: { user: root, known_hosts: ./none }, options: { VNET_BRIDGE: br0, VNET_PUBINTERFACE: br0 } }
nodes:
`
const FIRST = `  nc-01: { address: 10.20.0.31, ${NODE}, port: 1 } }\n`
const SECOND = `  nc-02: { address: 10.20.0.32, ${NODE}, port: 2 } }\n`
const MISSING = 'configuration: mode is missing, as it is in every view before 4.2: say it, --mode NAME'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-flags-'))
  writeFileSync(join(folder, 'inventory.yml'), DEFAULTS + FIRST + SECOND)
  writeFileSync(join(folder, 'one.yml'), DEFAULTS + FIRST)
  for (const version of ['4.0', '4.4']) {
    writeFileSync(join(folder, `v${version}.xml`), readFileSync(join(SAMPLES, `edge-1cluster-2nc.v${version}.xml`)))
  }
  cpSync(join(SAMPLES, 'wire-3.4'), join(folder, 'wire'), { recursive: true })
})

afterEach(() => rmSync(folder, { recursive: true }))

function render(...args: readonly string[]) {
  return edgepush(['render', '-i', 'inventory.yml', ...args], folder)
}

/** A view with one instance and one rule that are wrong. */
function spoil(): void {
  const text = readFileSync(join(folder, 'v4.4.xml'), 'utf8')
  const spoilt = text.replace('d0:0d:1d:b2:f6:04', 'xx').replace('<protocol>47<', '<protocol>-1<')
  writeFileSync(join(folder, 'spoilt.xml'), spoilt)
}

function playbook(source: string): void {
  mkdirSync(join(folder, 'playbooks'), { recursive: true })
  const text = `name: push\ninventory: ../inventory.yml\nsource: ${source}\nstages: [{ name: all, targets: [all] }]\n`
  writeFileSync(join(folder, 'playbooks/push.yml'), text)
}

it('a view that does not say its mode is refused until somebody does', async () => {
  const refused = await render('--view', 'v4.0.xml')
  expect([refused.code, refused.stdout]).toEqual([65, ''])
  expect(refused.stderr).toContain(`v4.0.xml:3 ${MISSING}`)

  const served = await render('--view', 'v4.0.xml', '--mode', 'EDGE')
  expect([served.code, served.stderr]).toEqual([0, ''])
  expect(served.stdout).toContain('-A sg-0a1b2c3d -p tcp -m tcp --dport 80:443 -j ACCEPT')
})

it('a playbook can say it, also for a view that is named on the command line', async () => {
  playbook('{ file: ../v4.0.xml, mode: EDGE }')
  expect(await edgepush(['render', 'playbooks/push.yml'], folder)).toMatchObject({ code: 0, stderr: '' })
  expect(await edgepush(['render', 'playbooks/push.yml', '--view', 'v4.0.xml'], folder)).toMatchObject({
    code: 0,
    stderr: '',
  })
})

it('what is said and what the view says have to be the same', async () => {
  playbook('{ file: ../v4.4.xml, mode: VPCMIDO }')
  const { code, stderr } = await edgepush(['render', 'playbooks/push.yml'], folder)
  expect(code).toBe(65)
  expect(stderr).toContain('v4.4.xml:4 configuration: mode is EDGE, but playbooks/push.yml:3:36 says "VPCMIDO"')
  expect(await edgepush(['render', 'playbooks/push.yml', '--mode', 'EDGE'], folder)).toMatchObject({
    code: 0,
    stderr: '',
  })
})

it('what is wrong with one part refuses everything, or costs that part where it is asked for', async () => {
  spoil()
  const refused = await render('--view', 'spoilt.xml')
  expect([refused.code, refused.stdout]).toEqual([65, ''])
  expect(refused.stderr).toBe(`edgepush: spoilt.xml is not a usable view (2 errors)
  spoilt.xml:75 instance i-1db2f604: macAddress "xx" is not a MAC address
  spoilt.xml:188 group sg-77e1b0f9 rule 4: protocol -1: a rule for all protocols at once cannot be carried out
`)

  const served = await render('--view', 'spoilt.xml', '--lenient')
  expect(served.code).toBe(0)
  expect(served.stderr).toContain(
    'left out: spoilt.xml:75 instance i-1db2f604: macAddress "xx" is not a MAC address; it has no network; nothing is let in to its private address\n',
  )
  expect(served.stderr.match(/^left out: /gm)).toHaveLength(2)
  expect(served.stdout).not.toContain('203.0.113.17/32')

  playbook('{ file: ../spoilt.xml, lenient: true }')
  expect(await edgepush(['render', 'playbooks/push.yml'], folder)).toEqual(served)
})

it('a run says how much is left out, and only then', async () => {
  spoil()
  const events = async (...args: readonly string[]) => {
    const { stdout } = await edgepush(['push', '-i', 'one.yml', '--json', '--force', 'nodes', ...args], folder)
    const [, started] = stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
    return started
  }
  expect(await events('--view', 'spoilt.xml', '--lenient')).toMatchObject({ type: 'run-started', leftOut: 2 })
  expect(await events('--view', 'v4.4.xml', '--lenient')).not.toHaveProperty('leftOut')
})

it('a folder of 3.4 is a view, whose plain local-net is that of the only node', async () => {
  const { code, stdout, stderr } = await edgepush(['render', '-i', 'one.yml', '--view', 'wire'], folder)
  expect(code).toBe(0)
  expect(stderr).toContain('warning: wire/network-topology:4 instance i-000000000ac140415: is on no node\n')
  expect(stdout).toContain('==> nc-01/iptables.restore <==')
  expect(stdout).toContain('add sg-n9ad4c8d0dec2367b076f 172.20.4.21\n')

  const refused = await render('--view', 'wire')
  expect(refused.code).toBe(65)
  expect(refused.stderr).toContain('wire/local-net:1: nothing says whose it is: call it local-net.ADDRESS')
})

it('nodes that only the view or only the inventory has are said', async () => {
  const one = await edgepush(['render', '-i', 'one.yml', '--view', 'v4.4.xml'], folder)
  const missing = 'the inventory has no node with address 10.20.0.32, which runs 2 instances'
  expect(one).toMatchObject({ code: 0, stderr: `warning: ${missing}\n` })

  const third = SECOND.replace('nc-02', 'nc-03').replace('10.20.0.32', '10.20.0.33').replace('port: 2', 'port: 3')
  writeFileSync(join(folder, 'inventory.yml'), DEFAULTS + FIRST + SECOND + third)
  const unknown = await render('--view', 'v4.4.xml')
  expect(unknown.stderr).toContain('warning: inventory.yml:6:3: nc-03 is 10.20.0.33, which is no node of the view\n')
  expect(await render('--view', 'v4.4.xml', '--node', 'nc-01')).toMatchObject({ code: 0, stderr: '' })
})

it('a view older than max_age is warned of, once, and rendered', async () => {
  playbook('{ file: ../v4.4.xml, max_age: 10m }')
  const fresh = await edgepush(['render', 'playbooks/push.yml'], folder)
  expect([fresh.code, fresh.stderr]).toEqual([0, ''])

  utimesSync(join(folder, 'v4.4.xml'), new Date(), new Date(Date.now() - 3_600_000))
  const old = await edgepush(['render', 'playbooks/push.yml'], folder)
  expect([old.code, old.stdout]).toEqual([0, fresh.stdout])
  expect(old.stderr).toMatch(/^warning: v4\.4\.xml was last written 36\d\d s ago, which is more than max_age: 600 s\n$/)
})
