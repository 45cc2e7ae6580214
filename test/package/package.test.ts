/** What is shipped is what runs: packed from a clean copy, installed elsewhere, used there. */

import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const CASE = join(ROOT, 'test/cases/edge/one-cluster')

/** Everything a release is made from; the rest of the repository is not even there. */
const SOURCES = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'src',
  'templates',
  'inventories',
  'playbooks',
  'LICENSE',
  'README.md',
  'lab',
]

let folder: string
let packed: readonly string[]
let installed: string | undefined

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-package-'))
  const clean = join(folder, 'clean')
  for (const name of SOURCES.filter((source) => existsSync(join(ROOT, source)))) {
    cpSync(join(ROOT, name), join(clean, name), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(clean, 'node_modules'))
  const [{ filename, files }] = JSON.parse(npm(clean, 'pack', '--json', '--silent', '--pack-destination', folder))
  packed = files.map(({ path }: { readonly path: string }) => path)
  installed = install(join(folder, filename))
}, 240_000)

afterAll(() => rmSync(folder, { recursive: true }))

/** Undefined without a registry and a cache: the libraries must come from somewhere. */
function install(tarball: string): string | undefined {
  const place = join(folder, 'elsewhere')
  mkdirSync(place)
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--omit=dev', tarball]
  const { status, stderr } = spawnSync('npm', args, { cwd: place, encoding: 'utf8' })
  if (status === 0) return place
  if (!/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENOTCACHED/.test(stderr)) throw new Error(stderr)
  console.error('SKIPPED: nothing can be installed without a registry')
  return undefined
}

function npm(cwd: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

it('holds the build, the templates and the examples, and nothing of how they are made', () => {
  expect(packed).toContain('dist/cli.js')
  expect(packed).toContain('templates/node/apply.sh.hbs')
  expect(packed).toContain('templates/edge/iptables.hbs')
  expect(packed).toContain('inventories/lab.yml')
  expect(packed).toContain('playbooks/push.yml')
  expect(packed).toContain('LICENSE')
  const allowed =
    /^(dist\/(?!lab\/|test\/).*\.js|templates\/.*\.(hbs|sh)|(inventories|playbooks)\/.*\.yml|LICENSE|README\.md|package\.json)$/
  expect(packed.filter((path) => !allowed.test(path))).toEqual([])
})

it('says its version', ({ skip }) => {
  if (installed === undefined) return skip()
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  expect(npx('--version')).toBe(`${version}\n`)
})

it('renders a case as reviewed', ({ skip }) => {
  if (installed === undefined) return skip()
  npx('render', '-i', join(CASE, 'inventory.yml'), '--view', join(CASE, 'view.xml'), '--out', 'out')
  for (const file of [
    'apply.sh',
    'dhcpd.conf',
    'ebtables.restore',
    'ipset.restore',
    'iptables.restore',
    'manifest.json',
  ]) {
    const text = readFileSync(join(installed, 'out/nc-110-51', file), 'utf8')
    expect(text).toBe(readFileSync(join(CASE, 'expected/nc-110-51', file), 'utf8'))
  }
})

it('has its schemas, and example files that pass them', ({ skip }) => {
  if (installed === undefined) return skip()
  const playbook = join(installed, 'node_modules/edgepush/playbooks/push.yml')
  expect(npx('nodes', playbook)).toMatch(/^NODE .*\nnc-01 /)
})

function npx(...args: readonly string[]): string {
  return execFileSync('npx', ['--no-install', 'edgepush', ...args], {
    cwd: installed,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
