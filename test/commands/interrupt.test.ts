/** A run that is interrupted ends in order; one that is interrupted twice ends. */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createKey } from '../node/keys.ts'
import { CASE, CLI } from './cli.ts'

let folder: string
/** Stands for a node that accepts a connection and says nothing. */
let silent: Server
const sockets: Socket[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-interrupt-'))
  createKey(join(folder, 'key'))
  silent = createServer((socket) => sockets.push(socket))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const options = '{ VNET_BRIDGE: br0, VNET_PUBINTERFACE: br0 }'
  const nodes = ['51', '52'].map(
    (host) => `  nc-${host}: { address: 10.110.5.${host}, ssh: { host: 127.0.0.1, user: u${host} } }\n`,
  )
  const defaults = `{ role: nc, options: ${options}, ssh: { port: ${port}, key: ./key, known_hosts: ./none } }`
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

function startPush() {
  const args = ['push', '-i', 'lab.yml', '--view', join(CASE, 'view.xml'), '--forks', '1']
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, EDGEPUSH_STATE: folder },
  })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      said[name] += text
    })
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return { child, said, ended }
}

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const

it.each(SIGNALS)('%s lets the node in flight finish and begins no other: exit code %i', async (signal, code) => {
  const { child, said, ended } = startPush()
  await vi.waitUntil(() => sockets.length > 0, { timeout: 30_000 })
  child.kill(signal)
  await vi.waitUntil(() => said.stderr.includes('nodes in flight are finished'), { timeout: 30_000 })
  hangUp()
  expect(await ended).toBe(code)
  expect(said.stdout).toMatch(/^nc-51 {2}unreachable .*\nnc-52 {2}not-attempted /m)
})

it.each(SIGNALS)('%s twice ends at once: exit code %i', async (signal, code) => {
  const { child, said, ended } = startPush()
  await vi.waitUntil(() => sockets.length > 0, { timeout: 30_000 })
  child.kill(signal)
  await vi.waitUntil(() => said.stderr.includes('once more ends at once'), { timeout: 30_000 })
  child.kill(signal)
  expect(await ended).toBe(code)
  expect(said.stdout).toBe('')
})

it('a reader that has seen enough is no error', async () => {
  const [node, cli] = [process.execPath, CLI].map((path) => `'${path}'`)
  const command = `${node} ${cli} render -i inventory.yml --view view.xml | head -n 1`
  const child = spawn('sh', ['-c', command], { cwd: CASE, stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  await new Promise((resolve) => child.on('close', resolve))
  expect(stderr).toBe('')
})
