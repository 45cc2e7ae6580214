/** `edgepush trust` against real sshds, as a user types it. */

import { spawn } from 'node:child_process'
import { chmodSync, existsSync, linkSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createKey, readFingerprint, readPublicKey } from '../node/keys.ts'
import { type Sshd, startSshd } from '../node/sshd.ts'
import { CLI, edgepush } from './cli.ts'

let sshd: Sshd
let rsa: string
let folder: string
const stops: (() => Promise<void>)[] = []

beforeEach(async () => {
  sshd = await startSshd('127.7.15.1', ['LogLevel DEBUG1'])
  stops.push(sshd.stop)
  folder = sshd.folder
  rsa = createKey(join(folder, 'rsa_key'), '', 'rsa')
  writeInventory({ 'nc-01': sshd })
})

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

/** All nodes share the file `hosts`, which is not there yet. No node accepts the key: what is proven ends before a login. */
function writeInventory(nodes: Readonly<Record<string, Sshd>>, knownHosts = './hosts'): void {
  const lines = Object.entries(nodes).map(([name, { target }], index) => {
    const ssh = `{ host: ${target.host}, port: ${target.port}, user: ${target.user} }`
    return `  ${name}: { address: 10.0.0.${index + 1}, ssh: ${ssh} }\n`
  })
  const defaults = `{ role: nc, ssh: { key: ./rsa_key, known_hosts: ${knownHosts} } }`
  writeFileSync(join(folder, 'lab.yml'), `cloud: lab\ndefaults: ${defaults}\nnodes:\n${lines.join('')}`)
}

async function startSecond(): Promise<Sshd> {
  const second = await startSshd('127.7.15.2', [`HostKey ${rsa}`])
  stops.push(second.stop)
  return second
}

const trust = (...words: readonly string[]) =>
  edgepush(['trust', words[0] ?? '', '-i', 'lab.yml', ...words.slice(1)], folder)
const login = async () => (await edgepush(['doctor', '-i', 'lab.yml', '--node', 'nc-01'], folder)).stderr
const hosts = () => readFileSync(join(folder, 'hosts'), 'utf8')
const lineOf = (server: Sshd, key: string) => `${server.name} ${readPublicKey(key)}\n`
const rowsOf = ({ stdout }: { readonly stdout: string }) =>
  stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(/ {2,}/))

it('scan shows every key that a node has, and nobody logs in or is written down', async () => {
  const second = await startSecond()
  writeInventory({ 'nc-01': sshd, 'nc-02': second })
  const ended = await trust('scan')
  expect(rowsOf(ended)).toEqual([
    ['nc-01', sshd.name, 'ssh-ed25519', readFingerprint(join(folder, 'host_key')), 'unknown'],
    ['nc-02', second.name, 'ssh-ed25519', readFingerprint(join(second.folder, 'host_key')), 'unknown'],
    ['nc-02', second.name, 'ssh-rsa', readFingerprint(rsa), 'unknown'],
  ])
  expect([ended.code, ended.stderr]).toEqual([77, expect.stringContaining('edgepush trust add -i lab.yml\n')])
  expect(existsSync(join(folder, 'hosts'))).toBe(false)
  await expect.poll(sshd.log).toContain('Connection from')
  expect(sshd.log()).not.toContain('userauth-request')
})

const OTHER = () => readPublicKey(createKey(join(folder, 'other_key')))
const OURS = () => readPublicKey(join(folder, 'host_key'))

it.each<[string, () => string, readonly string[], number]>([
  ['known', () => `# ours\n${sshd.name} ${OURS()}\n`, ['known (HOSTS:2)'], 0],
  ['changed', () => `${sshd.name} ${OTHER()}\n`, ['changed (HOSTS:1)'], 77],
  ['changed to another type', () => `${sshd.name} ${readPublicKey(rsa)}\n`, ['changed (HOSTS:1)'], 77],
  ['revoked', () => `${sshd.name} ${OURS()}\n@revoked * ${OURS()}\n`, ['revoked (HOSTS:2)'], 77],
  ['only certified', () => `@cert-authority * ${OURS()}\n`, ['unknown'], 77],
])('scan says that a key is %s, and the login is refused or made as it says', async (_, text, says, code) => {
  writeFileSync(join(folder, 'hosts'), text())
  const ended = await trust('scan')
  expect(rowsOf(ended).map((row) => row[4])).toEqual(says.map((one) => one.replace('HOSTS', join(folder, 'hosts'))))
  expect(ended.code).toBe(code)
  expect(await login()).toContain(code === 0 ? 'refused the login as' : 'shows the host key')
})

it('a further key of a node that is known is no change', async () => {
  const second = await startSecond()
  writeInventory({ 'nc-01': second })
  writeFileSync(join(folder, 'hosts'), lineOf(second, rsa))
  const ended = await trust('scan')
  expect(rowsOf(ended).map((row) => [row[2], row[4]])).toEqual([
    ['ssh-ed25519', 'unknown'],
    ['ssh-rsa', `known (${join(folder, 'hosts')}:1)`],
  ])
  expect([ended.code, ended.stderr]).toEqual([0, ''])
})

it('add writes all keys of nodes that are unknown, once, and the login is made then', async () => {
  const second = await startSecond()
  writeInventory({ 'nc-01': sshd, 'nc-02': second })
  writeFileSync(join(folder, 'hosts'), '# mine')
  // Keeps what the name once meant: what is written in place shows here, too.
  linkSync(join(folder, 'hosts'), join(folder, 'before'))
  chmodSync(join(folder, 'hosts'), 0o640)
  expect(await login()).toContain('edgepush trust add -i lab.yml --node nc-01 --fingerprint SHA256:')
  const ended = await trust('add', '-y')
  expect([ended.code, ended.stderr]).toEqual([0, `2 of 2 nodes added to ${join(folder, 'hosts')}\n`])
  expect(rowsOf(ended).map((row) => row[3])).toEqual(
    [join(folder, 'host_key'), join(second.folder, 'host_key'), rsa].map(readFingerprint),
  )
  expect(hosts()).toBe(
    `# mine\n${lineOf(sshd, join(folder, 'host_key'))}${lineOf(second, join(second.folder, 'host_key'))}${lineOf(second, rsa)}`,
  )
  expect(statSync(join(folder, 'hosts')).mode & 0o777).toBe(0o640)
  expect(readFileSync(join(folder, 'before'), 'utf8')).toBe('# mine')
  expect(await login()).toContain('refused the login as')

  const before = hosts()
  expect(await trust('add', '-y')).toMatchObject({ code: 0, stderr: 'nothing is added\n' })
  expect(hosts()).toBe(before)
  expect((await trust('scan')).code).toBe(0)
})

it('what a refused login says to type is enough', async () => {
  const [, command = 'false'] = /if it is the same: edgepush (.*)$/m.exec(await login()) ?? []
  expect(await edgepush(command.split(' '), folder)).toMatchObject({ code: 0 })
  expect(hosts()).toBe(lineOf(sshd, join(folder, 'host_key')))
})

it.each([
  ['changed', () => `${sshd.name} ${OTHER()}\n`, /but is known by .*\n {2}someone may be in between.* ssh-keygen -R /],
  ['revoked', () => `@revoked * ${OURS()}\n`, /revokes\n {2}give the node a new host key/],
])('add leaves a node alone whose key is %s, however it is told to, and adds the others', async (_, text, says) => {
  const second = await startSecond()
  writeInventory({ 'nc-01': sshd, 'nc-02': second })
  const before = text()
  writeFileSync(join(folder, 'hosts'), before)
  const named = await trust('add', '--node', 'nc-01', '--fingerprint', readFingerprint(join(folder, 'host_key')))
  expect([named.code, named.stderr]).toEqual([77, expect.stringMatching(says)])
  expect(hosts()).toBe(before)

  const ended = await trust('add', '--yes')
  expect([ended.code, ended.stderr]).toEqual([77, expect.stringMatching(says)])
  expect(hosts()).toBe(before + lineOf(second, join(second.folder, 'host_key')) + lineOf(second, rsa))
})

it('add --fingerprint adds the one key that has it, and refuses any other', async () => {
  const second = await startSecond()
  writeInventory({ 'nc-01': sshd, 'nc-02': second })
  const wrong = await trust('add', '--node', 'nc-02', '--fingerprint', readFingerprint(join(folder, 'user_key')))
  expect([wrong.code, existsSync(join(folder, 'hosts'))]).toEqual([77, false])
  expect(wrong.stderr).toContain(`it shows ssh-ed25519 ${readFingerprint(join(second.folder, 'host_key'))}, ssh-rsa `)

  const many = await trust('add', '--fingerprint', readFingerprint(rsa))
  expect([many.code, many.stderr]).toEqual([64, expect.stringContaining('is of one node, and 2 are selected')])

  expect((await trust('add', '--node', 'nc-02', '--fingerprint', readFingerprint(rsa))).code).toBe(0)
  expect(hosts()).toBe(lineOf(second, rsa))
  expect(statSync(join(folder, 'hosts')).mode & 0o777).toBe(0o600)
  const again = await trust('add', '--node', 'nc-02', '--fingerprint', readFingerprint(rsa))
  expect([again.code, hosts()]).toEqual([0, lineOf(second, rsa)])
  const further = readFingerprint(join(second.folder, 'host_key'))
  expect((await trust('add', '--node', 'nc-02', '--fingerprint', further)).code).toBe(0)
  expect(hosts()).toBe(lineOf(second, rsa) + lineOf(second, join(second.folder, 'host_key')))
})

it('add asks nobody where nobody is, before it asks any node', async () => {
  const ended = await trust('add')
  expect([ended.code, ended.stderr]).toEqual([64, expect.stringContaining('nobody is at a terminal')])
  expect(sshd.log()).not.toContain('Connection from')
})

/** On a terminal of its own, where the answer is typed once the question is there. */
async function addAtTerminal(answer: string): Promise<{ readonly code: number | null; readonly text: string }> {
  const command = `${process.execPath} ${CLI} trust add -i lab.yml --no-color`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: folder,
    env: { PATH: process.env.PATH, EDGEPUSH_STATE: folder, TERM: 'dumb' },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  await vi.waitUntil(() => text.includes('[y/N]'), { timeout: 30_000 })
  expect(text).toContain(readFingerprint(join(folder, 'host_key')))
  child.stdin.write(answer)
  const code = await ended
  return { code, text }
}

it.each([
  ['y\n', 0],
  ['YES\n', 0],
  ['n\n', 77],
  ['\n', 77],
  ['yesterday\n', 77],
  ['\u0003', 130],
])('at a terminal %j is its answer to the fingerprints that are shown: exit code %i', async (answer, code) => {
  const ended = await addAtTerminal(answer)
  expect(ended.code).toBe(code)
  expect(existsSync(join(folder, 'hosts'))).toBe(code === 0)
})

it('add keeps a link to a known_hosts file, and makes the folder of one', async () => {
  writeFileSync(join(folder, 'real_hosts'), '')
  symlinkSync('real_hosts', join(folder, 'hosts'))
  expect((await trust('add', '-y')).code).toBe(0)
  expect(readFileSync(join(folder, 'real_hosts'), 'utf8')).toBe(lineOf(sshd, join(folder, 'host_key')))
  expect(hosts()).toBe(readFileSync(join(folder, 'real_hosts'), 'utf8'))

  writeInventory({ 'nc-01': sshd }, '[./new/hosts, ./hosts_of_others]')
  expect((await trust('add', '-y')).code).toBe(0)
  expect(readFileSync(join(folder, 'new/hosts'), 'utf8')).toBe(lineOf(sshd, join(folder, 'host_key')))
  expect(existsSync(join(folder, 'hosts_of_others'))).toBe(false)
})

it('a file that cannot be written is told, and is left as it was', async () => {
  writeFileSync(join(folder, 'hosts.d'), '')
  writeInventory({ 'nc-01': sshd }, './hosts.d/hosts')
  const ended = await trust('add', '-y')
  expect([ended.code, ended.stderr]).toEqual([77, expect.stringContaining('hosts.d/hosts')])
})

it('a node that does not answer is told, and the others are served', async () => {
  const second = await startSecond()
  writeInventory({ 'nc-01': sshd, 'nc-02': second })
  await second.stop()
  stops.pop()
  const ended = await trust('add', '-y', '--json')
  expect([ended.code, ended.stderr]).toEqual([6, expect.stringContaining('nc-02: cannot reach nc-02')])
  const lines = ended.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines).toEqual([
    { type: 'edgepush', format: 1, version: expect.any(String), command: 'trust add' },
    expect.objectContaining({ type: 'added', node: 'nc-01', fingerprint: readFingerprint(join(folder, 'host_key')) }),
    expect.objectContaining({ type: 'failure', node: 'nc-02', exitCode: 6 }),
  ])
})

it('list shows what is known of each node, and asks none', async () => {
  const second = await startSecond()
  writeInventory({ 'nc-01': sshd, 'nc-02': second })
  const key = join(folder, 'host_key')
  writeFileSync(join(folder, 'hosts'), `${lineOf(sshd, key)}@revoked * ${readPublicKey(rsa)}\n`)
  const known = `${join(folder, 'hosts')}:`
  expect(rowsOf(await trust('list'))).toEqual([
    ['nc-01', sshd.name, 'ssh-ed25519', readFingerprint(key), `${known}1`],
    ['nc-01', sshd.name, 'ssh-rsa', readFingerprint(rsa), `${known}2 @revoked`],
    ['nc-02', second.name, 'ssh-rsa', readFingerprint(rsa), `${known}2 @revoked`],
  ])
  writeFileSync(join(folder, 'hosts'), '')
  expect(rowsOf(await trust('list', '--node', 'nc-02'))).toEqual([['nc-02', second.name, '-', 'no key is known', '-']])
  expect([sshd, second].map(({ log }) => log().includes('Connection from'))).toEqual([false, false])
})

it('keys of nodes behind a jump host are asked for through it', async () => {
  const bastion = await startSshd('127.7.15.3', [])
  stops.push(bastion.stop)
  const jump = `${bastion.target.user}@${bastion.target.host}:${bastion.target.port}`
  const { host, port } = sshd.target
  const ssh = `{ key: ${bastion.target.key}, known_hosts: ./hosts, jump: "${jump}", host: ${host}, port: ${port} }`
  writeFileSync(join(folder, 'lab.yml'), `cloud: lab\nnodes:\n  nc-01: { role: nc, address: 10.0.0.1, ssh: ${ssh} }\n`)
  const stranger = await trust('scan')
  expect(stranger.code).toBe(77)
  expect(stranger.stderr).toContain(`nc-01: the jump host ${jump} (${bastion.name}) shows the host key ssh-ed25519`)

  writeFileSync(join(folder, 'hosts'), lineOf(bastion, join(bastion.folder, 'host_key')))
  expect(await trust('add', '--yes')).toMatchObject({ code: 0 })
  expect(hosts()).toContain(lineOf(sshd, join(folder, 'host_key')))
  expect(bastion.log()).toContain('Accepted publickey')
  expect(await login()).toContain(`nc-01 (${host}:${port}) refused the login as root`)
})
