/** A run on a terminal of its own, seen as the person at it sees it. */

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createKey } from '../node/keys.ts'
import { openScreen } from '../report/screen.ts'
import { CASE, CLI } from './cli.ts'

const INTERRUPT = '\u0003'
const STOP = '\u001a'
const PATIENCE = { timeout: 60_000 }

let folder: string
/** Stands for nodes that accept a connection and say nothing. */
let silent: Server
let child: ChildProcess | undefined
const sockets: Socket[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-screen-'))
  createKey(join(folder, 'key'))
  silent = createServer((socket) => sockets.push(socket))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const nodes = ['51', '52'].map(
    (host) => `  nc-${host}: { address: 10.110.5.${host}, ssh: { host: 127.0.0.1, user: u${host} } }\n`,
  )
  const ssh = `{ port: ${port}, key: ./key, known_hosts: ./none }`
  const options = '{ VNET_BRIDGE: br0, VNET_PUBINTERFACE: br0 }'
  writeFileSync(
    join(folder, 'lab.yml'),
    `cloud: lab\ndefaults: { role: nc, options: ${options}, ssh: ${ssh} }\nnodes:\n${nodes.join('')}`,
  )
})

afterEach(() => {
  child?.kill('SIGKILL')
  hangUp()
  rmSync(folder, { recursive: true })
})

function hangUp(): void {
  silent.close()
  for (const socket of sockets.splice(0)) socket.destroy()
}

const PUSH = `${process.execPath} ${CLI} push -i lab.yml --view ${join(CASE, 'view.xml')}`

function startPush(env: Readonly<Record<string, string>> = {}, columns = 80, command = `exec ${PUSH}`) {
  const pty = spawn('script', ['-qec', `stty cols ${columns} rows 24; ${command}`, '/dev/null'], {
    cwd: folder,
    env: { PATH: process.env.PATH, EDGEPUSH_STATE: folder, TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child = pty
  const screen = openScreen(columns, 24)
  let written = ''
  pty.stdout.setEncoding('utf8').on('data', (text: string) => {
    written += text
    screen.write(text)
  })
  return {
    screen,
    written: () => written,
    type: (keys: string) => pty.stdin.write(keys),
    kill: (signal: string) => process.kill(Number(readFileSync(`/proc/${pty.pid}/task/${pty.pid}/children`)), signal),
    ended: new Promise<number | null>((resolve) => pty.on('close', resolve)),
  }
}

it('a block tells where it is, and goes with its end', async () => {
  const { screen, ended } = startPush()
  await vi.waitUntil(() => /^ +[1-9]\d* s {2}connect {2}nc-51$/m.test(screen.text()), PATIENCE)
  const [stage, at, ...slowest] = screen.text().split('\n')
  expect(stage).toMatch(/^stage all: 0 of 2 nodes done, \d+ s$/)
  expect(at).toBe('  at connect 2')
  expect(slowest.map((line) => line.replace(/\d+ s/, ''))).toEqual(['      connect  nc-51', '      connect  nc-52'])

  hangUp()
  expect(await ended).toBe(6)
  await screen.settled()
  expect(screen.text()).toMatch(/^nc-51 {2}unreachable [\s\S]*\n2 nodes: 2 unreachable$/)
  expect(screen.text()).not.toContain('stage all')
})

it('on a narrow terminal no line of it wraps', async () => {
  const { screen, ended } = startPush({}, 16)
  await vi.waitUntil(() => screen.text().includes('s  conne'), PATIENCE)
  expect(screen.text().split('\n').slice(0, 2)).toEqual(['stage all: 0 of', '  at connect 2'])
  hangUp()
  expect(await ended).toBe(6)
  await screen.settled()
  expect(screen.text()).not.toContain('stage all')
})

it.each([
  ['one interruption', 1],
  ['two', 2],
])('%s leaves nothing of it', async (_, times) => {
  const { screen, type, ended } = startPush()
  await vi.waitUntil(() => screen.text().includes('connect  nc-52'), PATIENCE)
  type(INTERRUPT)
  await vi.waitUntil(() => screen.text().includes('once more ends at once'), PATIENCE)
  if (times === 2) type(INTERRUPT)
  else hangUp()
  expect(await ended).toBe(130)
  await screen.settled()
  expect(screen.text()).not.toMatch(/stage all|connect {2}nc/)
  expect(screen.text()).toMatch(times === 2 ? /once more ends at once(\n\^C)?$/ : /\n2 nodes: 2 unreachable$/)
})

it.each([
  ['SIGHUP', 129],
  ['SIGQUIT', 131],
])('%s ends it at once, and leaves nothing of it', async (signal, code) => {
  const { screen, kill, ended } = startPush({}, 80, `ulimit -c 0; exec ${PUSH}`)
  await vi.waitUntil(() => screen.text().includes('connect  nc-52'), PATIENCE)
  kill(signal)
  expect(await ended).toBe(code)
  await screen.settled()
  expect(screen.text()).not.toMatch(/stage all|connect {2}nc/)
})

it('stopped, it leaves the screen to whoever types next, and comes back with it', async () => {
  const shell = `exec bash -c 'set -m; ${PUSH}; echo "left with $?"; read -r _; fg > /dev/null'`
  const { screen, type, ended } = startPush({}, 80, shell)
  await vi.waitUntil(() => screen.text().includes('connect  nc-52'), PATIENCE)
  type(STOP)
  await vi.waitUntil(() => screen.text().includes('left with 148'), PATIENCE)
  expect(screen.text()).not.toMatch(/stage all|connect {2}nc/)
  type('\n')
  await vi.waitUntil(() => screen.text().includes('connect  nc-52'), PATIENCE)
  hangUp()
  expect(await ended).toBe(6)
  await screen.settled()
  expect(screen.text()).not.toContain('stage all')
})

it.each([{ TERM: 'dumb' }, { NO_COLOR: '1' }])('with %o a line per change, and nothing is taken back', async (env) => {
  const { written, ended } = startPush(env)
  await vi.waitUntil(() => sockets.length >= 2, PATIENCE)
  hangUp()
  expect(await ended).toBe(6)
  expect(written()).toContain('stage all: 2 nodes\r\n')
  expect(written()).toMatch(/^nc-51: unreachable at connect: /m)
  const sequences = written().split('\u001b[').slice(1)
  expect(sequences.filter((sequence) => /^\d*[AJK]/.test(sequence))).toEqual([])
})
