/** One run at a time has a node, as a user meets it; the nodes accept a connection and say nothing. */

import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { readRecord } from '../../src/record/record.ts'
import { createKey } from '../node/keys.ts'
import { CLI, edgepush } from './cli.ts'

let folder: string
let silent: Server
const sockets: Socket[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-held-'))
  createKey(join(folder, 'key'))
  silent = createServer((socket) => sockets.push(socket))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  // Nobody listens at port 1: nc-03 is unreachable at once.
  const nodes = [`01: ${port}`, `02: ${port}`, '03: 1'].map((text) => {
    const [end = '', at] = text.split(': ')
    return `  nc-${end}: { address: 10.0.0.${Number(end)}, ssh: { host: 127.0.0.1, port: ${at}, user: u${end} } }\n`
  })
  const defaults = `{ role: nc, ssh: { key: ./key, known_hosts: ./none } }`
  writeFileSync(join(folder, 'lab.yml'), `cloud: lab\ndefaults: ${defaults}\nnodes:\n${nodes.join('')}`)
})

afterEach(() => {
  hangUp()
  rmSync(folder, { recursive: true })
})

function hangUp(): void {
  silent.close()
  for (const socket of sockets.splice(0)) socket.destroy()
}

const type = (...args: readonly string[]) => edgepush(args, folder, folder)
const release = (...words: readonly string[]) => type('release', '-i', 'lab.yml', ...words)
const runs = () => readdirSync(join(folder, 'lab/runs')).map((name) => name.replace('.ndjson', ''))

/** A run that has nc-01 and nc-02 and waits for what they say. */
async function startRun() {
  const child = spawn(process.execPath, [CLI, 'release', '-i', 'lab.yml', '-l', 'nc-[01-02]'], {
    cwd: folder,
    env: { PATH: process.env.PATH, EDGEPUSH_STATE: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  await vi.waitUntil(() => sockets.length === 2, { timeout: 30_000 })
  const [run = ''] = runs()
  return { child, run, ended, said: () => said }
}

it('a node that another run has is refused and not even asked, the others are served', async () => {
  const { child, run, ended } = await startRun()
  const { code, stdout } = await release('--json')
  const outcomes = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).outcome)
    .filter(Boolean)
  const held = {
    status: 'refused',
    heldElsewhere: true,
    reason: expect.stringMatching(`^run ${run} \\(release by .+ on .+, process ${child.pid}, since 20.+Z\\) has it$`),
    next: `wait for it, or end it: kill ${child.pid}`,
  }
  expect(outcomes).toEqual([
    expect.objectContaining({ node: 'nc-01', ...held }),
    expect.objectContaining({ node: 'nc-02', ...held }),
    expect.objectContaining({ node: 'nc-03', status: 'unreachable' }),
  ])
  expect([code, sockets.length]).toEqual([10, 2])
  // What becomes of them is for the run to tell that has them.
  expect([...readRecord(folder, 'lab').keys()]).toEqual(['nc-03'])

  hangUp()
  expect(await ended).toBe(6)
  expect((await type('lock', 'status')).stdout).toBe('no run has any node\n')
})

it('runs of other nodes, and words about a run, are not kept out', async () => {
  const { run, ended } = await startRun()
  expect((await release('--node', 'nc-03')).code).toBe(6)
  // Only who comes now finds nobody there.
  silent.close()
  expect((await type('abort', run, '-i', 'lab.yml', '--node', 'nc-01')).code).toBe(6)
  expect((await type('lock', 'status')).stdout).toContain(`nc-01  ${run}`)
  hangUp()
  expect(await ended).toBe(6)
})

it.each<[string, readonly NodeJS.Signals[], number | null]>([
  ['killed', ['SIGKILL'], null],
  ['interrupted twice', ['SIGINT', 'SIGINT'], 130],
])('a run that was %s keeps nobody out, and the next says so', async (_, signals, code) => {
  const { child, run, ended, said } = await startRun()
  for (const [count, signal] of signals.entries()) {
    await vi.waitUntil(() => said().split('once more ends at once').length > count, { timeout: 30_000 })
    child.kill(signal)
  }
  expect(await ended).toBe(code)
  const status = await type('lock', 'status')
  expect(status.stdout).toMatch(new RegExp(`^lab +nc-01 +${run} +release .* is gone: the next run takes it over$`, 'm'))

  hangUp()
  const next = await release()
  expect([next.code, next.stderr]).toEqual([6, expect.stringContaining(`nc-01, nc-02: run ${run} (release by `)])
  expect(next.stderr).toContain(' had the lock and is gone: taken over\n')
  expect((await type('lock', 'status', '--json')).stdout.trimEnd().split('\n')).toHaveLength(1)
})

it('lock release says whose nodes they are, and takes them from a run that lives only if it is told to', async () => {
  const { run, child } = await startRun()
  const unknown = await type('lock', 'release', `${run}0`)
  expect([unknown.code, unknown.stderr]).toEqual([64, expect.stringContaining('edgepush lock status lists them')])

  const asked = await type('lock', 'release', run)
  expect([asked.code, asked.stdout]).toEqual([64, ''])
  expect(asked.stderr).toContain(`process ${child.pid}, since `)
  expect(asked.stderr).toContain(`runs; it has nc-01, nc-02\n`)
  expect(asked.stderr).toContain(`edgepush lock release ${run} --yes`)

  expect(await type('lock', 'release', run, '--yes')).toMatchObject({ code: 0, stdout: 'released: nc-01, nc-02\n' })
  expect((await type('lock', 'status')).stdout).toBe('no run has any node\n')
})

it('of a run on another host the user is told to look there', async () => {
  const { run, child, ended } = await startRun()
  child.kill('SIGKILL')
  await ended
  const path = join(folder, 'lab/locks/nc-01.lock')
  const { host } = JSON.parse(readFileSync(path, 'utf8'))
  // Both nodes' locks are one file.
  writeFileSync(path, readFileSync(path, 'utf8').replace(`"host":"${host}"`, '"host":"admin-2"'))
  const refused = await release('--node', 'nc-02')
  expect([refused.code, refused.stdout]).toEqual([
    10,
    expect.stringContaining(`if it is gone from admin-2: edgepush lock release ${run}`),
  ])
  expect((await type('lock', 'status')).stdout).toContain('@admin-2')
  expect((await type('lock', 'release', run, '-y')).code).toBe(0)
  hangUp()
  expect((await release('--node', 'nc-02')).code).toBe(6)
})
