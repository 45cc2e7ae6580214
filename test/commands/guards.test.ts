/** What keeps a push from any node: each guard, what it saw, and its name that overrides it. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKey } from '../node/keys.ts'
import { edgepush } from './cli.ts'

const SAMPLE = join(import.meta.dirname, '../view/samples/edge-1cluster-2nc.v4.4.xml')
const DEFAULTS = `cloud: lab
defaults:
  role: nc
  ssh: { user: root, key: ./key, known_hosts: ./none, host: 127.0.0.1 }
  options: { VNET_BRIDGE: br0, VNET_PUBINTERFACE: br0 }
nodes:
`
/** At ports where nobody listens: a push that comes as far as the nodes ends with 6. */
const REACHED = 6
const REFUSED = 8

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-guards-'))
  createKey(join(folder, 'key'))
  writeFileSync(join(folder, 'view.xml'), readFileSync(SAMPLE))
  inventory('31', '32')
  playbook()
})

afterEach(() => rmSync(folder, { recursive: true }))

function inventory(...hosts: readonly string[]): void {
  const nodes = hosts.map((host) => `  nc-${host}: { address: 10.20.0.${host}, ssh: { port: ${host} } }\n`)
  writeFileSync(join(folder, 'lab.yml'), DEFAULTS + nodes.join(''))
}

function playbook(more = '', source = '{ file: ./view.xml, max_age: 10m }'): void {
  const text = `name: push\ninventory: ./lab.yml\nsource: ${source}\n${more}stages: [{ name: all, targets: [all] }]\n`
  writeFileSync(join(folder, 'push.yml'), text)
}

async function run(verb: string, ...args: readonly string[]) {
  const { code, stderr } = await edgepush([verb, 'push.yml', ...args], folder, join(folder, 'state'))
  return { code, stderr }
}

/** Refused without its name, served with it; what it saw is said both times. */
async function expectGuard(name: string, saw: RegExp): Promise<void> {
  const others = ['age', 'mode', 'nodes', 'path'].filter((other) => other !== name)
  const forcingOthers = others.flatMap((other) => ['--force', other])
  for (const refused of [await run('push', ...forcingOthers), await run('adopt')]) {
    expect(refused.stderr).toMatch(/^edgepush: no node is touched$/m)
    expect(refused.stderr).toMatch(saw)
    expect(refused.stderr).toContain(`\n  if it is meant so: --force ${name}`)
    expect(refused.code).toBe(REFUSED)
  }
  const forced = await run('push', '--force', name)
  expect(forced.stderr).toMatch(saw)
  expect(forced.code).toBe(REACHED)
}

it('nothing is in the way of a view that nobody has to doubt, and nothing to say may be forced', async () => {
  expect((await run('push')).code).toBe(REACHED)
  expect((await run('push', '--force', 'age', '--force', 'nodes')).code).toBe(REACHED)
})

it('age: a view older than max_age', async () => {
  utimesSync(join(folder, 'view.xml'), new Date(), new Date(Date.now() - 3_600_000))
  await expectGuard('age', /view\.xml was last written 36\d\d s ago, which is more than max_age: 600 s\n/)
})

describe('nodes', () => {
  it('that run instances and are in no inventory would keep what they hold', async () => {
    inventory('31')
    await expectGuard('nodes', /the inventory has no node with address 10\.20\.0\.32, which runs 2 instances\n/)
    expect((await run('push')).stderr).toContain('the playbook can say so: guard: { nodes: some }\n')
    expect((await run('push', '--node', 'nc-31')).code).toBe(REFUSED)

    playbook('guard: { nodes: some }\n')
    expect((await run('push')).code).toBe(REACHED)
  })

  it('without instances are only said', async () => {
    inventory('31')
    const text = readFileSync(SAMPLE, 'utf8').replace(
      /(<node name="10\.20\.0\.32">\s*<instanceIds>)[\s\S]*?(<\/instanceIds>)/,
      '$1$2',
    )
    writeFileSync(join(folder, 'view.xml'), text)
    const { code, stderr } = await run('push')
    expect(code).toBe(REACHED)
    expect(stderr).toContain('warning: the inventory has no node with address 10.20.0.32\n')
  })

  it('that the view does not know would lose what they hold, unless others are meant', async () => {
    inventory('31', '32', '33')
    await expectGuard('nodes', /lab\.yml:9:3: nc-33 is 10\.20\.0\.33, which is no node of the view\n/)
    playbook('guard: { nodes: some }\n')
    expect((await run('push')).code).toBe(REFUSED)
    expect((await run('push', '--limit', 'all:!nc-33')).code).toBe(REACHED)
  })
})

it('mode: the last good run of a node was of another', async () => {
  const nodes = join(folder, 'state/lab/nodes')
  mkdirSync(nodes, { recursive: true })
  const record = (node: string, status: string, mode: string) => {
    const outcome = { node, status, notes: [], milliseconds: 0 }
    const view = { origin: 'view.xml', mode, version: undefined, digest: 'a' }
    writeFileSync(join(nodes, `${node}.json`), JSON.stringify({ outcome, run: 'r', view, time: '' }))
  }
  record('nc-31', 'converged', 'MANAGED')
  record('nc-32', 'refused', 'SYSTEM')
  record('elsewhere', 'converged', 'SYSTEM')
  const refused = await run('push')
  expect(refused).toMatchObject({
    code: REFUSED,
    stderr: expect.stringContaining('guard mode: the view is of mode EDGE, the last one of nc-31 was of MANAGED\n'),
  })
  expect((await run('push', '--node', 'nc-32')).code).toBe(REACHED)
  expect((await run('push', '--force', 'mode')).code).toBe(REACHED)
})

it('mode: what a push writes down is what the next one reads', async () => {
  expect((await run('push')).code).toBe(REACHED)
  const record = JSON.parse(readFileSync(join(folder, 'state/lab/nodes/nc-31.json'), 'utf8'))
  expect(record.view.mode).toBe('EDGE')
})

describe('path', () => {
  function giveElastic(address: string): void {
    writeFileSync(join(folder, 'view.xml'), readFileSync(SAMPLE, 'utf8').replaceAll('203.0.113.17', address))
  }

  it('an elastic address that a node is logged in to', async () => {
    giveElastic('10.20.0.31')
    const saw =
      /instance i-1db2f604 has the elastic address 10\.20\.0\.31, which is that of nc-31: it could not be reached/
    await expectGuard('path', saw)
  })

  it('an elastic address that only the configuration of OpenSSH has for a jump host', async () => {
    giveElastic('198.51.100.9')
    writeFileSync(join(folder, 'config'), 'Host bastion\n  HostName 198.51.100.9\n  Port 1\n')
    const text = readFileSync(join(folder, 'lab.yml'), 'utf8')
    writeFileSync(join(folder, 'lab.yml'), text.replace('key: ./key', 'key: ./key, config: ./config, jump: bastion'))
    for (const verb of ['push', 'adopt']) {
      const { code, stderr } = await run(verb)
      expect(stderr).toContain('elastic address 198.51.100.9, which is that of the jump host bastion: it could not')
      expect(code).toBe(REFUSED)
    }
  })

  it('an elastic address of this host', async (context) => {
    const own = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ internal, family, cidr }) => !internal && family === 'IPv4' && !cidr?.endsWith('/32'))
    if (!own) return context.skip()
    giveElastic(own.address)
    await expectGuard('path', /which is that of this host: it could not be reached/)
  })
})

it('several at once are all told, and each has to be forced', async () => {
  utimesSync(join(folder, 'view.xml'), new Date(), new Date(Date.now() - 3_600_000))
  inventory('31')
  const { code, stderr } = await run('push')
  expect(code).toBe(REFUSED)
  expect(stderr).toMatch(/\nguard age: .*\nguard nodes: .*\n {2}if it is meant so: --force age --force nodes; or /)
  expect((await run('push', '--force', 'age')).code).toBe(REFUSED)
  expect((await run('push', '--force', 'age', '--force', 'nodes')).code).toBe(REACHED)
})

it('a name that is none is refused with those that are', async () => {
  const { code, stderr } = await run('push', '--force', 'everything')
  expect(code).toBe(64)
  expect(stderr).toContain('It must be one of age, mode, nodes, path, changed, shrink.')
  expect((await run('adopt', '--force', 'everything')).stderr).toContain('age, mode, nodes, path, difference.')
})

it('what changes nothing is done all the same, and warns', async () => {
  utimesSync(join(folder, 'view.xml'), new Date(), new Date(Date.now() - 3_600_000))
  const { code, stderr } = await run('render')
  expect(code).toBe(REACHED)
  expect(stderr).toMatch(/^warning: view\.xml was last written /)
})
