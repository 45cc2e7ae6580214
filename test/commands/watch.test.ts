/** What a watch says, counts and survives, over nodes that nobody answers for. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createKey } from '../node/keys.ts'
import { findPort } from '../node/listener.ts'
import { CASE, CLI, edgepush } from './cli.ts'

let folder: string
let started: ChildProcess[]

beforeEach(async () => {
  started = []
  folder = mkdtempSync(join(tmpdir(), 'edgepush-watch-'))
  createKey(join(folder, 'key'))
  const port = await findPort('127.0.0.1')
  const nodes = ['51', '52'].map(
    (host) => `  nc-${host}: { address: 10.110.5.${host}, ssh: { host: 127.0.0.1, user: u${host} } }\n`,
  )
  const ssh = `{ port: ${port}, key: ./key, known_hosts: ./none }`
  const defaults = `{ role: nc, options: { VNET_BRIDGE: br0, VNET_PUBINTERFACE: br0 }, ssh: ${ssh} }`
  writeFileSync(join(folder, 'none'), '')
  writeFileSync(join(folder, 'lab.yml'), `cloud: lab\ndefaults: ${defaults}\nnodes:\n${nodes.join('')}`)
  copyFileSync(join(CASE, 'view.xml'), join(folder, 'view.xml'))
})

afterEach(() => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

function startWatch(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [CLI, 'watch', '-i', 'lab.yml', '--view', 'view.xml', ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, EDGEPUSH_STATE: folder, ...env },
  })
  started.push(child)
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
    })
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return { child, said, ended }
}

const until = (is: () => boolean) => vi.waitUntil(is, { timeout: 60_000 })
const metric = (name: string) => {
  // A round is told of before its metrics are written.
  const file = join(folder, 'edgepush.prom')
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return new RegExp(`^edgepush_watch_${name} (.*)$`, 'm').exec(text)?.[1]
}

it('says a line for each round in which nodes were asked, and asks those again that did not answer', async () => {
  const { said, child, ended } = startWatch()
  const round =
    /^view \S+ of \d\d:\d\d:\d\dZ: 2 of 2 nodes asked: 2 unreachable \(\d+\.\d s\)\n {2}nc-\[51-52\] unreachable at connect: /gm
  await until(() => said.stderr.match(round) !== null)
  await until(() => (said.stderr.match(/asked: \d unreachable/g) ?? []).length > 1)
  child.kill('SIGTERM')
  expect(await ended).toBe(143)
  expect(said.stdout).toBe('')
})

it('tells of all rounds in one stream for programs', async () => {
  const { said, child, ended } = startWatch(['--json'])
  await until(() => said.stdout.split('"run-finished"').length > 2)
  child.kill('SIGINT')
  expect(await ended).toBe(130)
  const lines = said.stdout.trimEnd().split('\n')
  const types = lines.map((line) => (JSON.parse(line) as { readonly type: string }).type)
  expect(types.filter((type) => type === 'edgepush')).toHaveLength(1)
  expect(types[0]).toBe('edgepush')
  expect(types.filter((type) => type === 'run-started').length).toBeGreaterThan(1)
})

it('goes on where a view cannot be served, and when it can again; both can be collected', async () => {
  const { said, child, ended } = startWatch(['--metrics', 'edgepush.prom'])
  await until(() => said.stderr.includes('asked: '))
  await until(() => metric('nodes{cloud="lab",status="unreachable"}'.replace(/[{}]/g, '\\$&')) === '2')
  expect(metric('refused\\{cloud="lab"\\}')).toBe('0')

  writeFileSync(join(folder, 'view.xml'), '<network-data>')
  await until(() => metric('refused\\{cloud="lab"\\}') === '1')
  expect(said.stderr).toContain('view.xml')
  copyFileSync(join(CASE, 'view.xml'), join(folder, 'view.xml'))
  await until(() => metric('refused\\{cloud="lab"\\}') === '0')
  expect(metric('last_success_timestamp_seconds\\{cloud="lab"\\}')).toBeUndefined()
  child.kill('SIGINT')
  expect(await ended).toBe(130)
})

it('refuses at once what no waiting would mend', async () => {
  const state = join(folder, 'state')
  expect(await edgepush(['watch', '-i', 'lab.yml'], folder, state)).toMatchObject({ code: 64 })
  expect(await edgepush(['watch', '-i', 'none.yml', '--view', 'view.xml'], folder, state)).toMatchObject({ code: 66 })
  const metrics = ['--metrics', 'nowhere/edgepush.prom']
  const refused = await edgepush(['watch', '-i', 'lab.yml', '--view', 'view.xml', ...metrics], folder, state)
  expect(refused).toMatchObject({ code: 77, stderr: expect.stringContaining('the metrics cannot be written') })
})

const canNotify = ['systemd-notify', 'perl'].every((name) => spawnSync(name, ['--version']).status === 0)
if (!canNotify) console.error('SKIPPED: systemd-notify or perl is not on this machine')

/** What a service manager hears; what comes with it, such as a descriptor to wait for, is dropped. */
const MANAGER = `
use Socket; $| = 1;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die;
print "bound\\n"; while (defined recv($s, my $word, 4096, 0)) { print "$word\\n" }
`

it.skipIf(!canNotify)('tells the service manager that it is ready, how it stands, and that it is alive', async () => {
  const socket = join(folder, 'notify')
  const manager = spawn('perl', ['-e', MANAGER, socket])
  started.push(manager)
  let heard = ''
  manager.stdout.setEncoding('utf8').on('data', (text: string) => {
    heard += text
  })
  await until(() => heard.includes('bound'))
  const { child, ended } = startWatch([], { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '600000' })
  await until(() => heard.includes('READY=1'))
  await until(() => /STATUS=view .* 2 of 2 nodes asked: 2 unreachable/.test(heard))
  await until(() => heard.split('WATCHDOG=1').length > 3)
  child.kill('SIGTERM')
  await until(() => heard.includes('STOPPING=1'))
  expect(await ended).toBe(143)
})
