import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Passphrases } from '../../src/node/private-key.ts'
import { sshTransport } from '../../src/node/ssh.ts'
import { NotTrusted, type Target } from '../../src/node/transport.ts'
import { startAgent } from './agent.ts'
import { createKey, readFingerprint, readPublicKey } from './keys.ts'
import { type Sshd, startSshd } from './sshd.ts'

let sshd: Sshd
const stops: (() => Promise<void>)[] = []

beforeEach(async () => {
  sshd = await startSshd('127.7.12.1', ['LogLevel DEBUG1'])
  stops.push(sshd.stop)
})

afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

async function login(target: Target, agent?: string, passphrases: Passphrases = {}): Promise<void> {
  const connection = await sshTransport({ agent, passphrases }).connect(target)
  connection.close()
}

async function refused(target: Target, agent?: string, passphrases: Passphrases = {}): Promise<NotTrusted> {
  const error: unknown = await login(target, agent, passphrases).then(
    () => 'accepted',
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(NotTrusted)
  return error instanceof NotTrusted ? error : new NotTrusted('', '')
}

/** The node as it is, and a known_hosts file that says this. */
function knowing(text: string): Target {
  const file = join(sshd.folder, 'other_known_hosts')
  writeFileSync(file, text)
  return { ...sshd.target, knownHosts: [file] }
}

function knownHosts(): string {
  return readFileSync(join(sshd.folder, 'known_hosts'), 'utf8')
}

test('a known key', async () => {
  await login(sshd.target)
  await expect.poll(sshd.log).toContain('Accepted publickey')
  expect(sshd.log()).not.toContain('method none')
})

test('a known key, hashed', async () => {
  const target = knowing(knownHosts())
  execFileSync('ssh-keygen', ['-H', '-f', ...target.knownHosts], { stdio: 'pipe' })
  expect(readFileSync(target.knownHosts[0] ?? '', 'utf8')).toMatch(/^\|1\|/)
  await login(target)
})

test('a known key in the second file, the first is missing', async () => {
  await login({ ...sshd.target, knownHosts: [join(sshd.folder, 'missing'), ...sshd.target.knownHosts] })
})

test('an unknown key, and nobody logged in', async () => {
  const file = join(sshd.folder, 'missing')
  const error = await refused({ ...sshd.target, knownHosts: [file] })
  expect(error.message).toContain(
    `nc-01 (${sshd.name}) shows the host key ssh-ed25519 ${readFingerprint(join(sshd.folder, 'host_key'))}`,
  )
  expect(error.message).toContain(`which is not in ${file}`)
  expect(error.next).toContain(`ssh-keyscan -p ${sshd.target.port} -t ed25519 ${sshd.target.host} >> ${file}`)
  await expect.poll(sshd.log).toContain('Connection from')
  expect(sshd.log()).not.toContain('userauth-request')
})

test('what the refusal of an unknown key says to type is enough', async () => {
  const target = { ...sshd.target, knownHosts: [join(sshd.folder, 'missing')] }
  const command = /ssh-keyscan .*$/.exec((await refused(target)).next)?.[0] ?? 'false'
  execFileSync('sh', ['-c', command], { stdio: 'pipe' })
  await login(target)
})

test('a changed key, and nobody logged in', async () => {
  const other = createKey(join(sshd.folder, 'other_key'))
  const target = knowing(`# ours\n${sshd.name} ${readPublicKey(other)}\n`)
  const error = await refused(target)
  expect(error.message).toContain(`but is known by ssh-ed25519 ${readFingerprint(other)} (${target.knownHosts[0]}:2)`)
  expect(error.message).toContain(readFingerprint(join(sshd.folder, 'host_key')))
  expect(error.next).toContain(`ssh-keygen -R '${sshd.name}' -f ${target.knownHosts[0]}`)
  expect(sshd.log()).not.toContain('userauth-request')
})

test('a revoked key', async () => {
  const error = await refused(knowing(`${knownHosts()}@revoked * ${readPublicKey(join(sshd.folder, 'host_key'))}\n`))
  expect(error.message).toContain('other_known_hosts:2 revokes')
  expect(sshd.log()).not.toContain('userauth-request')
})

test('an authority alone', async () => {
  const error = await refused(knowing(`@cert-authority * ${readPublicKey(join(sshd.folder, 'host_key'))}\n`))
  expect(error.message).toContain('other_known_hosts:1 only trusts certificates, which are not supported')
})

test('a known_hosts file that cannot be read', async () => {
  const error = await refused({ ...sshd.target, knownHosts: [sshd.folder] })
  expect(error.message).toBe(`cannot read the known_hosts file ${sshd.folder}: EISDIR`)
})

test.each(['ecdsa', 'rsa'])('the key of the type we know is asked for: %s', async (type) => {
  const key = createKey(join(sshd.folder, `host_key_${type}`), '', type)
  const server = await startSshd('127.7.12.2', [`HostKey ${key}`])
  stops.push(server.stop)
  const file = join(sshd.folder, 'other_known_hosts')
  writeFileSync(file, `${server.name} ${readPublicKey(key)}\n`)
  await login({ ...server.target, knownHosts: [file] })
})

test('a key the node does not accept', async () => {
  const key = createKey(join(sshd.folder, 'stranger'))
  const error = await refused({ ...sshd.target, key })
  expect(error.message).toContain(`refused the login as ${sshd.target.user} with the key ${key} (ssh-ed25519 `)
  expect(error.message).toContain(readFingerprint(key))
})

test('keys that cannot be used, before any connection', async () => {
  const secret = createKey(join(sshd.folder, 'secret'), 'passphrase')
  const pem = createKey(join(sshd.folder, 'pem'), '', 'rsa')
  execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'passphrase', '-m', 'PKCS8', '-f', pem], { stdio: 'pipe' })
  const broken = join(sshd.folder, 'broken')
  writeFileSync(broken, 'not a key')
  const cases = [
    [join(sshd.folder, 'missing'), 'it does not exist'],
    [sshd.folder, 'EISDIR'],
    [secret, 'is encrypted'],
    [pem, 'is encrypted'],
    [broken, 'is not a private key we can read'],
    [`${sshd.target.key}.pub`, 'is a public key'],
  ] as const
  for (const [key, expected] of cases) expect((await refused({ ...sshd.target, key })).message).toContain(expected)

  const none = await refused({ ...sshd.target, key: undefined })
  expect(none.message).toContain('no key to log in to nc-01 with')
  expect(sshd.log()).not.toContain('Connection from')
})

test('the keys of an agent', async () => {
  const stranger = createKey(join(sshd.folder, 'stranger'), '', 'rsa')
  const agent = await startAgent([stranger, sshd.target.key ?? ''])
  stops.push(agent.stop)
  await login({ ...sshd.target, key: undefined }, agent.socket)
  await expect.poll(sshd.log).toContain('Accepted publickey')
})

test('an agent whose keys are not accepted, one without keys, and none', async () => {
  const stranger = createKey(join(sshd.folder, 'stranger'))
  const agents = await Promise.all([startAgent([stranger]), startAgent([])])
  stops.push(...agents.map((agent) => agent.stop))
  const target = { ...sshd.target, key: undefined }
  const [wrong, empty, dead] = await Promise.all(
    [...agents.map((agent) => agent.socket), join(sshd.folder, 'none')].map((socket) => refused(target, socket)),
  )
  expect(wrong?.message).toContain(readFingerprint(stranger))
  expect(empty?.message).toContain('but it holds none')
  expect(dead?.message).toContain('but nothing answers at')
})

test('an agent with more keys than the node wants to see', async () => {
  const server = await startSshd('127.7.12.2', ['MaxAuthTries 2'])
  const strangers = ['a', 'b', 'c', 'd'].map((name) => createKey(join(sshd.folder, name)))
  const agent = await startAgent(strangers)
  stops.push(server.stop, agent.stop)
  const error = await refused({ ...server.target, key: undefined }, agent.socket)
  expect(error.message).toContain('saying "Too many authentication failures"')
})

/** Encrypted, and accepted by the node. */
function secretKey(type = 'ed25519', form: readonly string[] = []): string {
  const key = createKey(join(sshd.folder, 'secret'), 'open sesame', type)
  if (form.length > 0) {
    execFileSync('ssh-keygen', ['-q', '-p', '-P', 'open sesame', '-N', 'open sesame', ...form, '-f', key])
  }
  copyFileSync(`${key}.pub`, join(sshd.folder, 'authorized_keys'))
  return key
}

function passphraseFile(text: string, mode = 0o600): string {
  const file = join(sshd.folder, 'passphrase')
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}

test.each([
  ['ed25519', []],
  ['rsa', []],
  ['rsa', ['-m', 'PEM']],
] as const)('the passphrase of an encrypted key (%s %s), from a file', async (type, form) => {
  const key = secretKey(type, form)
  await login({ ...sshd.target, key }, undefined, { file: passphraseFile('open sesame\n') })
  await expect.poll(sshd.log).toContain('Accepted publickey')
})

test('a passphrase file that is wrong, that others may read, and that is not there', async () => {
  const target = { ...sshd.target, key: secretKey() }
  const file = passphraseFile('open barley\n')
  const wrong = await refused(target, undefined, { file })
  expect(wrong.message).toBe(`the private key ${target.key} is encrypted, and not by what is in ${file}`)
  expect(wrong.next).toContain('ssh-add')
  expect(`${wrong.message} ${wrong.next}`).not.toContain('barley')

  const open = await refused(target, undefined, { file: passphraseFile('open sesame\n', 0o644) })
  expect([open.message, open.next]).toEqual([`the passphrase file ${file} may be read by others`, `chmod 600 ${file}`])
  const missing = await refused(target, undefined, { file: `${file}.missing` })
  expect(missing.message).toContain(`cannot read the passphrase file ${file}.missing: it does not exist`)
})

test('a passphrase is asked for once, whoever needs it, and again when it is not right', async () => {
  const target = { ...sshd.target, key: secretKey() }
  const questions: string[] = []
  const ask = async (question: string) => {
    questions.push(question)
    return questions.length === 1 ? 'open barley' : 'open sesame'
  }
  const transport = sshTransport({ agent: undefined, passphrases: { ask } })
  const connections = await Promise.all([1, 2, 3].map(() => transport.connect(target)))
  for (const connection of connections) connection.close()
  expect(questions).toEqual([`Passphrase of ${target.key}: `, `Passphrase of ${target.key} (that was not it): `])

  const mute = await refused(target, undefined, { ask: async () => undefined })
  expect(mute.message).toContain('is encrypted, and its passphrase was not told')
})

test.each([
  ['OpenSSH, whose file tells the public key', [], false],
  ['PEM, with the public key beside it', ['-m', 'PEM'], true],
] as const)('an encrypted key that the agent holds is the only one that it offers: %s', async (_, form, isBeside) => {
  const server = await startSshd('127.7.12.2', ['MaxAuthTries 2'])
  stops.push(server.stop)
  const key = createKey(join(sshd.folder, 'held'), '', 'rsa')
  const strangers = ['a', 'b', 'c', 'd'].map((name) => createKey(join(sshd.folder, name)))
  const agent = await startAgent([...strangers, key])
  stops.push(agent.stop)
  copyFileSync(`${key}.pub`, join(server.folder, 'authorized_keys'))
  execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', ...form, '-f', key])
  if (!isBeside) rmSync(`${key}.pub`)
  await login({ ...server.target, key }, agent.socket)
  await expect.poll(server.log).toContain('Accepted publickey')
})

test('an old server is spoken to only with algorithms that are added for it', async () => {
  const key = createKey(join(sshd.folder, 'host_key_dsa'), '', 'dsa')
  const server = await startSshd('127.7.12.2', [
    `HostKey ${key}`,
    'HostKeyAlgorithms ssh-dss',
    'KexAlgorithms diffie-hellman-group1-sha1',
    'Ciphers aes128-cbc',
    'MACs hmac-md5',
  ])
  stops.push(server.stop)
  const file = join(sshd.folder, 'other_known_hosts')
  writeFileSync(file, `${server.name} ${readPublicKey(key)}\n`)
  const target = { ...server.target, knownHosts: [file] }
  const modern: unknown = await login(target).catch((error: unknown) => error)
  expect(String(modern)).toMatch(/cannot be spoken to by SSH: .*no matching.*say algorithms: legacy in its ssh map/)

  const algorithms = {
    keyExchange: ['diffie-hellman-group1-sha1'],
    ciphers: ['aes128-cbc'],
    hostKeys: ['ssh-dss'],
    macs: ['hmac-md5'],
  } as const
  await login({ ...target, algorithms })
  const transport = sshTransport({ agent: undefined })
  const keys = await transport.hostKeys({ ...target, algorithms })
  expect(keys.map((one) => one.toString('base64'))).toEqual([readPublicKey(key).split(' ')[1]])
})
