/** What only the system's `ssh` can, and what is left of it when we are gone. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { sshTransport } from '../../src/node/ssh.ts'
import { type Connection, NotTrusted, type Target, Unreachable } from '../../src/node/transport.ts'
import { createKey, readPublicKey } from './keys.ts'
import { findPort, listen, passOn } from './listener.ts'
import { type Sshd, startSshd } from './sshd.ts'

const SECONDS = 1_000
const DIST = join(import.meta.dirname, '../../dist')

let sshd: Sshd
let target: Target
/** Where this process has its temporary files, and nothing else. */
let folder: string
const opened: { close(): void }[] = []
const stops: (() => Promise<void>)[] = []

beforeAll(async () => {
  sshd = await startSshd('127.7.17.1', [])
  target = { ...sshd.target, connection: 'openssh', config: 'none' }
})

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'own-'))
  vi.stubEnv('TMPDIR', folder)
})

afterEach(async () => {
  for (const one of opened.splice(0)) one.close()
  await vi.waitUntil(() => socketFolders().length === 0, { timeout: 30_000 })
  await Promise.all(stops.splice(0).map((stop) => stop()))
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

afterAll(() => sshd.stop())

async function connect(to: Target): Promise<Connection> {
  const transport = sshTransport({ agent: undefined })
  opened.push(transport)
  const connection = await transport.connect(to)
  opened.push(connection)
  return connection
}

function socketFolders(): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith('edgepush-'))
}

function catchError(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** Of processes that have this in their command line: their numbers and all of that line. */
function processesWith(text: string): readonly { readonly pid: number; readonly words: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    const words = /^\d+$/.test(name) ? commandLine(name) : ''
    return words.includes(text) ? [{ pid: Number(name), words }] : []
  })
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    // Gone meanwhile.
    return ''
  }
}

test('certificates, of the user and of the host', async () => {
  const ca = createKey(join(sshd.folder, 'ca'))
  const hostKey = createKey(join(sshd.folder, 'signed_host_key'))
  execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'host', '-h', '-n', '127.7.17.2', `${hostKey}.pub`])
  const key = createKey(join(sshd.folder, 'signed'))
  execFileSync('ssh-keygen', ['-q', '-s', ca, '-I', 'user', '-n', sshd.target.user, `${key}.pub`])
  const node = await startSshd('127.7.17.2', [
    `HostKey ${hostKey}`,
    `HostCertificate ${hostKey}-cert.pub`,
    `TrustedUserCAKeys ${ca}.pub`,
    'AuthorizedKeysFile none',
  ])
  stops.push(node.stop)
  const known = join(sshd.folder, 'authorities')
  writeFileSync(known, `@cert-authority [127.7.17.2]:* ${readPublicKey(ca)}\n`)
  const signed = { ...node.target, key, knownHosts: [known] }
  expect(await catchError(connect(signed))).toBeInstanceOf(NotTrusted)
  const connection = await connect({ ...signed, connection: 'openssh', config: 'none' })
  expect(await connection.run('echo on', '', 20 * SECONDS)).toMatchObject({ code: 0, stdout: 'on\n' })
  expect(node.log()).toContain('CERT')
})

test('what its files say of a node holds where the inventory leaves it to them: a ProxyCommand', async () => {
  const config = join(sshd.folder, 'config')
  const mark = join(sshd.folder, 'proxied')
  const { host, port, key, user, knownHosts } = sshd.target
  const program = join(sshd.folder, 'proxy.cjs')
  writeFileSync(
    program,
    `require('fs').writeFileSync('${mark}', '')
     const socket = require('net').connect(${port}, '${host}')
     process.stdin.pipe(socket).pipe(process.stdout)`,
  )
  const proxy = `ProxyCommand ${process.execPath} ${program}`
  const lines = ['Host nc-01', `IdentityFile ${key}`, `User ${user}`, `UserKnownHostsFile ${knownHosts[0]}`, proxy]
  writeFileSync(config, [...lines, `HostKeyAlias ${sshd.name}`].join('\n'))
  const connection = await connect({
    ...target,
    host: '192.0.2.1',
    port: 22,
    user: 'nobody',
    key: undefined,
    knownHosts: [],
    config,
    leaves: ['host', 'port', 'user', 'key', 'knownHosts', 'jump'],
  })
  expect(await connection.run('echo on', '', 20 * SECONDS)).toMatchObject({ stdout: 'on\n' })
  expect(existsSync(mark)).toBe(true)
})

test('host keys are strict, whatever its files say', async () => {
  const config = join(sshd.folder, 'lax')
  writeFileSync(config, 'Host *\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel QUIET\n')
  const missing = join(sshd.folder, 'missing')
  const unknown = await catchError(connect({ ...target, config, knownHosts: [missing] }))
  expect(unknown).toBeInstanceOf(NotTrusted)
  expect(String(unknown)).toContain('is not who OpenSSH knows: No ED25519 host key is known for')
  expect(existsSync(missing)).toBe(false)

  const other = join(sshd.folder, 'other_known_hosts')
  writeFileSync(other, `${sshd.name} ${readPublicKey(createKey(join(sshd.folder, 'other')))}\n`)
  const changed = await catchError(connect({ ...target, config, knownHosts: [other] }))
  expect(changed).toBeInstanceOf(NotTrusted)
  expect(String(changed)).toContain('has changed')
})

test('a login that is refused says how to see more', async () => {
  const stranger = createKey(join(sshd.folder, 'stranger'))
  const error = await catchError(connect({ ...target, key: stranger }))
  expect(error).toBeInstanceOf(NotTrusted)
  expect(String(error)).toMatch(/refused the login as \w+ by OpenSSH: .*Permission denied \(publickey/)
})

test('a node that takes no command says so before any is sent', async () => {
  const closed = await startSshd('127.7.17.3', ['MaxSessions 0'])
  stops.push(closed.stop)
  const connection = await connect({ ...closed.target, connection: 'openssh', config: 'none' })
  const error = await catchError(connection.run('true', '', 20 * SECONDS))
  expect(error).toBeInstanceOf(Unreachable)
  expect(String(error)).toContain('see MaxSessions')
  expect(closed.log().split('Accepted publickey')).toHaveLength(2)
})

test('an old server', async () => {
  const old = await startSshd('127.7.17.4', ['KexAlgorithms diffie-hellman-group1-sha1', 'Ciphers aes128-cbc'])
  stops.push(old.stop)
  const modern = { ...old.target, connection: 'openssh', config: 'none' } as const
  const error = await catchError(connect(modern))
  expect(error).toBeInstanceOf(Unreachable)
  expect(String(error)).toContain('no matching key exchange method found')
  const algorithms = {
    keyExchange: ['diffie-hellman-group1-sha1'],
    ciphers: ['aes128-cbc'],
    hostKeys: ['ssh-dss'],
    macs: ['hmac-md5'],
  } as const
  const connection = await connect({ ...modern, algorithms })
  expect(await connection.run('echo on', '', 20 * SECONDS)).toMatchObject({ stdout: 'on\n' })
})

test('sockets are in a folder of our own, and nothing that is sent is in a command line', async () => {
  const connection = await connect(target)
  const [name = ''] = socketFolders()
  expect(statSync(join(folder, name)).mode & 0o777).toBe(0o700)
  const mark = join(sshd.folder, 'running')
  const running = connection.run(
    `cat > ${mark}; until [ -e ${mark}.end ]; do sleep 0.05; done`,
    'swordfish',
    60 * SECONDS,
  )
  await vi.waitUntil(() => existsSync(mark) && readFileSync(mark, 'utf8') === 'swordfish', { timeout: 30_000 })
  expect(processesWith(folder).length).toBeGreaterThanOrEqual(3)
  expect(processesWith('swordfish')).toEqual([])
  // A session of their own, or ^C would end them before us.
  const session = (pid: number) =>
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')[3]
  for (const { pid } of processesWith(folder)) expect(session(pid)).not.toBe(session(process.pid))
  writeFileSync(`${mark}.end`, '')
  expect(await running).toMatchObject({ code: 0 })
})

test('closing ends every process', async () => {
  const transport = sshTransport({ agent: undefined })
  const connections = await Promise.all([1, 2, 3].map(() => transport.connect(target)))
  expect(processesWith(folder)).toHaveLength(4)
  for (const connection of connections) connection.close()
  transport.close()
  await vi.waitUntil(() => processesWith(folder).length === 0, { timeout: 30_000 })
  expect(socketFolders()).toEqual([])
})

/** Another process of ours, that has a command run there for as long as it can. */
function startAnother(to: Target): ChildProcess {
  const program = `
    const { sshTransport } = await import('${DIST}/node/ssh.js')
    const connection = await sshTransport({ agent: undefined }).connect(${JSON.stringify(to)})
    await connection.run('sleep 300', '', 300000)
  `
  return spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' })
}

test('no process and no socket is left of us when we are killed', async () => {
  const child = startAnother(target)
  await vi.waitUntil(() => processesWith(folder).length >= 3, { timeout: 30_000 })
  child.kill('SIGKILL')
  await vi.waitUntil(() => processesWith(folder).length === 0, { timeout: 60_000 })
  await vi.waitUntil(() => socketFolders().length === 0, { timeout: 30_000 })
})

test('a login that is through after we were killed ends at once', async () => {
  const waiting: Socket[] = []
  const slow = await listen('127.7.17.1', (socket) => waiting.push(socket))
  stops.push(slow.stop)
  const known = join(sshd.folder, 'known_slow')
  writeFileSync(known, `[127.7.17.1]:${slow.port} ${readPublicKey(join(sshd.folder, 'host_key'))}\n`)
  const child = startAnother({ ...target, port: slow.port, knownHosts: [known] })
  await vi.waitUntil(() => waiting.length > 0, { timeout: 30_000 })
  child.kill('SIGKILL')
  await vi.waitUntil(() => socketFolders().length === 0, { timeout: 30_000 })
  expect(processesWith(folder)).not.toEqual([])
  for (const socket of waiting) passOn(socket, sshd.target.host, sshd.target.port)
  await vi.waitUntil(() => processesWith(folder).length === 0, { timeout: 30_000 })
})

test('without OpenSSH it says what to do', async () => {
  const programs = mkdtempSync(join(sshd.folder, 'programs-'))
  symlinkSync('/bin/rm', join(programs, 'rm'))
  vi.stubEnv('PATH', programs)
  const error = await catchError(connect({ ...target, port: await findPort('127.7.17.1') }))
  expect(error).toBeInstanceOf(NotTrusted)
  expect(String(error)).toContain('wants OpenSSH, which is not installed here')
})
