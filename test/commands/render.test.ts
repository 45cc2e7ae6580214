import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CASE, edgepush } from './cli.ts'

const RENDER = ['render', '-i', join(CASE, 'inventory.yml'), '--view', join(CASE, 'view.xml')]
const WHOLE = 'nc-110-51'
const NODES = [WHOLE, 'nc-110-52']

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-render-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function filesIn(place: string): Readonly<Record<string, string>> {
  return Object.fromEntries(readdirSync(place).map((name) => [name, readFileSync(join(place, name), 'utf8')]))
}

function reviewed(node: string): Readonly<Record<string, string>> {
  return filesIn(join(CASE, 'expected', node))
}

it('writes the files of every node, as reviewed', async () => {
  const { code, stdout, stderr } = await edgepush([...RENDER, '--out', join(folder, 'out')])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(
    /^\S+\/out\/nc-110-51 {2}[0-9a-f]{12} {2}8 files\n\S+\/out\/nc-110-52 {2}[0-9a-f]{12} {2}8 files\n$/,
  )
  expect(readdirSync(join(folder, 'out'))).toEqual(NODES)
  expect(filesIn(join(folder, 'out', WHOLE))).toEqual(reviewed(WHOLE))
  expect(filesIn(join(folder, 'out', 'nc-110-52'))).toMatchObject(reviewed('nc-110-52'))
})

it('leaves nothing of an earlier render in the folder of a node, and the rest of the folder alone', async () => {
  mkdirSync(join(folder, WHOLE))
  writeFileSync(join(folder, WHOLE, 'stale'), '')
  writeFileSync(join(folder, 'notes'), '')
  await edgepush([...RENDER, '--out', folder, '--node', WHOLE])
  expect(filesIn(join(folder, WHOLE))).toEqual(reviewed(WHOLE))
  expect(readdirSync(folder)).toEqual([WHOLE, 'notes'])
})

it('prints them one after the other', async () => {
  const { code, stdout } = await edgepush([...RENDER, '--node', WHOLE])
  expect(code).toBe(0)
  const files = Object.entries(reviewed(WHOLE)).map(([name, text]) => `==> ${WHOLE}/${name} <==\n${text}\n`)
  expect(stdout).toBe(files.join(''))
})

it('prints them for programs, each bundle by its digest', async () => {
  const { stdout } = await edgepush([...RENDER, '--json'])
  const [head, ...bundles] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(head).toEqual({ type: 'edgepush', format: 1, version: expect.stringMatching(/^\d/), command: 'render' })
  expect(bundles.map(({ type, node }) => [type, node])).toEqual(NODES.map((node) => ['bundle', node]))
  expect(bundles[0].files).toEqual(reviewed(WHOLE))
  for (const { digest, files } of bundles) {
    expect(digest).toBe(createHash('sha256').update(files['manifest.json']).digest('hex'))
  }
})

it('writes nothing when the view cannot be used', async () => {
  const view = join(folder, 'view.xml')
  writeFileSync(view, readFileSync(join(CASE, 'view.xml'), 'utf8').slice(0, -20))
  const { code } = await edgepush([...RENDER.slice(0, -1), view, '--out', join(folder, 'out')])
  expect(code).toBe(65)
  expect(existsSync(join(folder, 'out'))).toBe(false)
})

it('shows the unit of a node that is to make its bundle anew when it is started', async () => {
  const inventory = join(folder, 'inventory.yml')
  const text = readFileSync(join(CASE, 'inventory.yml'), 'utf8')
  writeFileSync(inventory, text.replace('role: nc', 'role: nc\n  persist: true'))
  await edgepush(['render', '-i', inventory, ...RENDER.slice(3), '--out', folder, '--node', WHOLE])
  const { 'edgepush-restore.service': unit, ...files } = filesIn(join(folder, WHOLE))
  expect(unit).toContain('\nExecStart=/bin/sh /var/lib/edgepush/current/apply.sh boot\n')
  expect({ ...files, 'manifest.json': '' }).toEqual({ ...reviewed(WHOLE), 'manifest.json': '' })
})

it('shows beside the files of a hardened node what its profile adds', async () => {
  const inventory = join(folder, 'inventory.yml')
  const text = readFileSync(join(CASE, 'inventory.yml'), 'utf8')
  writeFileSync(inventory, text.replace('role: nc', 'role: nc\n  profile: hardened'))
  await edgepush(['render', '-i', inventory, ...RENDER.slice(3), '--out', folder, '--node', WHOLE])
  const { 'profile.diff': diff = '', ...files } = filesIn(join(folder, WHOLE))
  expect(diff).toContain('+-A EUCA_FILTER_FWD -p icmp -m conntrack --ctstate RELATED -j ACCEPT')
  expect(diff).toContain('+-A EUCA_EBT_NAT_PRE -p IPv4 -i vn_i+ --ip-proto udp --ip-sport 67 -j DROP')
  const added = diff.split('\n').filter((line) => /^\+-A/.test(line))
  expect(added.filter((line) => !Object.values(files).join('').includes(line.slice(1)))).toEqual([])
  expect(Object.keys(JSON.parse(files['manifest.json'] ?? '').files)).not.toContain('profile.diff')
})
