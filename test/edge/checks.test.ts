// The metadata service is asked with whatever a node has to ask with; the checks of a whole node are in test/lab/verify.test.ts.

import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { CHECKS } from '../../src/modes/edge/checks.ts'

const TOOLS = ['curl', 'wget', 'bash', 'perl', 'python3', 'busybox']

const there = TOOLS.filter((tool) => binary(tool) !== undefined)
if (there.length < TOOLS.length) console.error(`SKIPPED: this machine has only ${there.join(', ')}`)

it.each(there)('an answer, whatever it says, is one with %s', async (tool) => {
  const server = createServer((_, response) => response.writeHead(404).end('no such page'))
  expect(await tryMetadata([tool], await portOf(server))).toEqual({ status: 0, said: '' })
})

it.each(there)('a connection without an answer is none with %s', async (tool) => {
  const port = await portOf(createTcpServer((socket) => socket.once('data', () => socket.destroy())))
  expect(await tryMetadata([tool], port)).toEqual({ status: 1, said: silence(port) })
})

it.each(there)('a port where nothing listens is none with %s', async (tool) => {
  const server = createTcpServer()
  const port = await portOf(server)
  await promisify(server.close.bind(server))()
  expect(await tryMetadata([tool], port)).toEqual({ status: 1, said: silence(port) })
})

it('a node that cannot ask says what it lacks', async () => {
  expect(await tryMetadata([], 8773)).toEqual({
    status: 1,
    said: 'there is none of curl, wget, bash, perl, python3 and busybox to ask with\n',
  })
})

it('a node whose instances are sent nowhere has nothing to ask', async () => {
  expect(await tryMetadata([], undefined)).toEqual({ status: 0, said: '' })
})

/** The check in a shell that finds these tools and no others. */
async function tryMetadata(tools: readonly string[], port: number | undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'edgepush-checks-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const rule = '-A EUCA_NAT_PRE -d 169.254.169.254/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination'
  writeFileSync(join(folder, 'iptables.restore'), port === undefined ? '' : `${rule} 127.0.0.1:${port}\n`)
  mkdirSync(join(folder, 'bin'))
  for (const name of ['sed', 'cut', 'grep', ...tools]) symlinkSync(binary(name) ?? '', join(folder, 'bin', name))

  const shell = CHECKS.find(({ name }) => name === 'metadata')?.shell ?? 'exit 99'
  const script = `PATH=${folder}/bin want=${folder}\ncomplain() { echo "$*"; }\ntry() {\n${shell}\n}\ntry`
  const child = promisify(execFile)('/bin/sh', ['-c', script], { encoding: 'utf8' })
  return await child.then(
    ({ stdout }) => ({ status: 0, said: stdout }),
    (error: { readonly code: number; readonly stdout: string }) => ({ status: error.code, said: error.stdout }),
  )
}

function silence(port: number): string {
  return `nothing answers at 127.0.0.1:${port}, where instances are sent for their metadata\n`
}

async function portOf(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

function binary(name: string): string | undefined {
  const path = execFileSync('/bin/sh', ['-c', `PATH=/usr/bin:/bin command -v ${name} || :`], {
    encoding: 'utf8',
  }).trim()
  return path === '' ? undefined : path
}
