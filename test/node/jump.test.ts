/** Nodes behind jump hosts: every bastion and every node here is an sshd. */

import { appendFileSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type SshTransport, sshTransport } from '../../src/node/ssh.ts'
import { type Connection, ConnectionLost, NotTrusted, type Target, Unreachable } from '../../src/node/transport.ts'
import { createKey, readFingerprint, readPublicKey } from './keys.ts'
import { findPort, type Listener, listen, passOn, relay } from './listener.ts'
import { type Sshd, startSshd } from './sshd.ts'

const SECONDS = 1_000
const USER = userInfo().username

let connection: Target['connection']
let bastion: Sshd
let node: Sshd
const opened: { close(): void }[] = []
const stops: (() => Promise<void>)[] = []

beforeAll(async () => {
  bastion = await startSshd('127.7.13.1', ['MaxStartups 3:100:3'])
  node = await startSshd('127.7.13.2', [])
  trust(node, bastion)
})

afterEach(async () => {
  for (const one of opened.splice(0)) one.close()
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

afterAll(() => Promise.all([bastion.stop(), node.stop()]))

/** The first one's key is accepted by the other, and its known_hosts file knows it, also behind another port. */
function trust(sshd: Sshd, other: Sshd, port = other.target.port): void {
  appendFileSync(join(other.folder, 'authorized_keys'), readFileSync(`${sshd.target.key}.pub`))
  const line = `[${other.target.host}]:${port} ${readPublicKey(join(other.folder, 'host_key'))}\n`
  appendFileSync(join(sshd.folder, 'known_hosts'), line)
}

function word({ target: { host, port } }: Sshd): string {
  return `${USER}@${host}:${port}`
}

function behind(jump: readonly string[]): Target {
  return { ...node.target, jump, config: nothing(), connection }
}

/** What is configured for whoever runs the tests must not matter. */
function nothing(): string {
  const file = join(node.folder, 'nothing')
  writeFileSync(file, '')
  return file
}

function open(): SshTransport {
  const transport = sshTransport({ agent: undefined })
  opened.push(transport)
  return transport
}

async function connect(transport: SshTransport, target: Target): Promise<Connection> {
  const connection = await transport.connect(target)
  opened.push(connection)
  return connection
}

/** The bastion behind a relay, which can be reset. */
async function relayed(): Promise<{ readonly listener: Listener; readonly jump: string }> {
  const { host, port } = bastion.target
  const listener = await relay(host, port)
  stops.push(listener.stop)
  trust(node, bastion, listener.port)
  return { listener, jump: `${USER}@${host}:${listener.port}` }
}

function catchError(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

async function refused(target: Target): Promise<NotTrusted> {
  const error = await catchError(connect(open(), target))
  expect(error).toBeInstanceOf(NotTrusted)
  return error instanceof NotTrusted ? error : new NotTrusted('', '')
}

function logins(sshd: Sshd): number {
  return sshd.log().split('Accepted publickey').length - 1
}

describe.each([
  ['by our own ssh', undefined],
  ["by the system's ssh", 'openssh'],
] as const)('%s', (_, by) => {
  beforeAll(() => {
    connection = by
  })

  test('commands through a jump host', async () => {
    const connection = await connect(open(), behind([word(bastion)]))
    const reply = await connection.run('cat; echo "$SSH_CONNECTION" >&2; exit 3', 'x'.repeat(3_000_000), 20 * SECONDS)
    expect(reply.code).toBe(3)
    expect(reply.stdout).toHaveLength(3_000_000)
    // Who connects to the node is the bastion, on this machine under the node's own address.
    expect(reply.stderr).toContain(`${node.target.host} ${node.target.port}`)
  })

  test('nodes behind one jump host share one connection to it, however many', async () => {
    const before = logins(bastion)
    const transport = open()
    const target = behind([word(bastion)])
    const connections = await Promise.all(Array.from({ length: 20 }, () => connect(transport, target)))
    const replies = await Promise.all(connections.map((connection, i) => connection.run('cat', `${i}`, 20 * SECONDS)))
    expect(replies.map(({ stdout }) => Number(stdout))).toEqual([...Array(20).keys()])
    await expect.poll(() => logins(bastion)).toBe(before + 1)
  })

  /** Twelve logins at once where nobody answers before so many have said hello; how many were at most in the middle of it. */
  async function loginsAtOnce(handshakes: number | undefined, enough: number): Promise<number> {
    const waiting = new Set<Socket>()
    let most = 0
    const node = await listen('127.7.13.3', (socket) => {
      socket.on('close', () => waiting.delete(socket))
      socket.once('data', () => {
        most = Math.max(most, waiting.add(socket).size)
        if (most < enough) return
        for (const one of waiting) one.end('no\r\n')
        waiting.clear()
      })
    })
    stops.push(node.stop)
    const transport = open()
    const target = { ...behind([word(bastion)]), host: '127.7.13.3', port: node.port, handshakes }
    const errors = await Promise.all(Array.from({ length: 12 }, () => catchError(connect(transport, target))))
    for (const error of errors) expect(String(error)).toContain('before the login, saying "no"')
    return most
  }

  test.runIf(by === undefined)(
    'nodes behind a jump host log in a few at a time, as many as the inventory says',
    async () => {
      expect(await loginsAtOnce(2, 2)).toBe(2)
      expect(await loginsAtOnce(undefined, 8)).toBe(8)
    },
  )

  test('through several jump hosts, one after the other', async () => {
    const second = await startSshd('127.7.13.4', [])
    stops.push(second.stop)
    trust(node, second)
    const before = logins(bastion)
    const connection = await connect(open(), behind([word(bastion), word(second)]))
    expect(await connection.run('echo on', '', 20 * SECONDS)).toMatchObject({ stdout: 'on\n' })
    await expect.poll(() => logins(second)).toBe(1)
    await expect.poll(() => logins(bastion)).toBe(before + 1)
  })

  test("what OpenSSH's configuration says of a jump host, and of those before it", async () => {
    const second = await startSshd('127.7.13.4', [])
    stops.push(second.stop)
    trust(node, second)
    const key = createKey(join(second.folder, 'of_the_bastion'))
    appendFileSync(join(bastion.folder, 'authorized_keys'), readFileSync(`${key}.pub`))
    const config = join(second.folder, 'config')
    writeFileSync(
      config,
      [
        `Include ${config}.more`,
        'Host second',
        `  HostName ${second.target.host}`,
        `  Port ${second.target.port}`,
        `  User ${USER}`,
        '  ProxyJump first',
      ].join('\n'),
    )
    writeFileSync(
      `${config}.more`,
      `Match host first\n  HostName ${bastion.target.host}\n  Port ${bastion.target.port}\n  IdentityFile ${key}\n`,
    )
    const connection = await connect(open(), { ...behind(['second']), config })
    expect(await connection.run('echo on', '', 20 * SECONDS)).toMatchObject({ stdout: 'on\n' })
    expect(bastion.log()).toContain(readFingerprint(key))
    expect(second.log()).toContain(readFingerprint(node.target.key ?? ''))
  })

  test("what an inventory leaves to OpenSSH's configuration, and what it does not", async () => {
    const config = join(node.folder, 'config')
    const known = join(node.folder, 'known_by_config')
    copyFileSync(join(node.folder, 'known_hosts'), known)
    const { host, port, key = '' } = node.target
    const lines = ['Host nc-01', `  HostName ${host}`, `  Port ${port}`, '  User nobody', `  IdentityFile ${key}`]
    writeFileSync(config, [...lines, `  UserKnownHostsFile ${known}`, `  ProxyJump ${word(bastion)}`].join('\n'))
    const before = logins(bastion)
    const left: Target = {
      ...node.target,
      host: '192.0.2.1',
      port: 22,
      key: undefined,
      knownHosts: [],
      config,
      leaves: ['host', 'port', 'key', 'knownHosts', 'jump'],
    }
    const transport = open()
    expect(await transport.complete(left)).toMatchObject({ host, port, user: USER, key, knownHosts: [known] })
    const connection = await connect(transport, left)
    expect(await connection.run('echo on', '', 20 * SECONDS)).toMatchObject({ stdout: 'on\n' })
    await expect.poll(() => logins(bastion)).toBe(before + 1)

    // A node of which the file says nothing has its address, and the user who types.
    const other = await transport.complete({ ...left, name: 'nc-02', leaves: ['host', 'user', 'key', 'jump'] })
    expect(other).toMatchObject({ host: '192.0.2.1', user: USER, key: undefined, jump: undefined })
  })

  test('nothing is asked about a node that leaves nothing', async () => {
    const connection = await connect(open(), { ...node.target, config: join(node.folder, 'missing'), leaves: [] })
    expect(await connection.run('echo on', '', 20 * SECONDS)).toMatchObject({ stdout: 'on\n' })
  })

  test.runIf(by === undefined)('configuration that cannot be used is refused with what to look at', async () => {
    const config = join(node.folder, 'bad_config')
    writeFileSync(config, 'Host a\n  ProxyJump b\nHost b\n  ProxyJump a\nHost nc-01 c\n  ProxyCommand nc %h %p\n')
    const circle = await refused({ ...behind(['a']), config })
    expect(circle.message).toContain('the way to nc-01 leads through a twice')
    const hop = await refused({ ...behind(['c']), config })
    expect(hop.message).toContain('has a ProxyCommand for the jump host c, which is not run here: nc %h %p')
    const leaving = await refused({ ...node.target, config, leaves: ['host', 'jump'] })
    expect(leaving.message).toContain('has a ProxyCommand for nc-01')
    expect(leaving.next).toContain('jump: none')

    const missing = await refused({ ...behind(['a']), config: `${config}.missing` })
    expect(missing.message).toContain('cannot be asked about a')
    expect(missing.next).toBe(`ssh -F ${config}.missing -G a`)
  })

  test("a jump host's own troubles are told as its own", async () => {
    const jump = `${USER}@127.7.13.1:${await findPort('127.7.13.1')}`
    const gone = await catchError(connect(open(), behind([jump])))
    expect(gone).toBeInstanceOf(Unreachable)
    expect(String(gone)).toContain(`cannot reach the jump host ${jump} (127.7.13.1:`)
    expect(String(gone)).toContain('nothing listens there')

    const stranger = await startSshd('127.7.13.5', [])
    stops.push(stranger.stop)
    const unknown = await refused(behind([word(stranger)]))
    const { host, port } = stranger.target
    expect(unknown.message).toContain(
      by
        ? `the jump host ${word(stranger)} (${host}:${port}) is not who OpenSSH knows: No ED25519 host key is known`
        : `the jump host ${word(stranger)} (${stranger.name}) shows the host key ssh-ed25519`,
    )
    expect(unknown.next).toContain(by ? `-p ${port} ${USER}@${host} true` : `ssh-keyscan -p ${port}`)

    const line = `[${host}]:${port} ${readPublicKey(join(stranger.folder, 'host_key'))}\n`
    appendFileSync(join(node.folder, 'known_hosts'), line)
    const login = await refused(behind([word(stranger)]))
    expect(login.message).toContain(`the jump host ${word(stranger)} (${host}:${port}) refused the login as ${USER}`)
    expect(login.next).toContain(by ? `${USER}@${host} -v true` : `authorized_keys of ${USER} there`)
  })

  test('a node behind a jump host that has no way to it, or must not make one', async () => {
    const closed = await catchError(connect(open(), { ...behind([word(bastion)]), port: await findPort('127.7.13.2') }))
    expect(closed).toBeInstanceOf(Unreachable)
    expect(String(closed)).toMatch(/the jump host \S+ cannot reach nc-01 \(127\.7\.13\.2:\d+\): Connection refused/)

    const strict = await startSshd('127.7.13.6', ['AllowTcpForwarding no'])
    stops.push(strict.stop)
    trust(node, strict)
    const forbidden = await refused(behind([word(strict)]))
    expect(forbidden.message).toContain(`does not let ${USER} connect to nc-01`)
    expect(forbidden.next).toContain('AllowTcpForwarding')
  })

  test('the host key of a node behind a jump host, unknown', async () => {
    const file = join(node.folder, 'only_the_bastion')
    writeFileSync(file, readFileSync(join(bastion.folder, 'known_hosts')))
    const error = await refused({ ...behind([word(bastion)]), knownHosts: [file] })
    expect(error.message).toMatch(/nc-01 \(\S+\) (shows the host key|is not who OpenSSH knows)/)
    expect(error.next).toContain(` -o UserKnownHostsFile=${file} -J ${word(bastion)} -p ${node.target.port}`)
    const transport = open()
    const target = behind([word(bastion)])
    const [key] = await transport.hostKeys(target)
    expect(key?.toString('base64')).toBe(readPublicKey(join(node.folder, 'host_key')).split(' ')[1])
  })

  test('a jump host that drops connections is asked again, and no node fails for it', async () => {
    const { host, port } = bastion.target
    let connects = 0
    const busy = await listen(host, (socket) => {
      connects += 1
      if (connects <= 3) return socket.end(connects === 1 ? '' : 'Exceeded MaxStartups\r\n')
      return passOn(socket, host, port)
    })
    stops.push(busy.stop)
    trust(node, bastion, busy.port)
    const transport = open()
    const target = behind([`${USER}@${host}:${busy.port}`])
    const connections = await Promise.all(Array.from({ length: 5 }, () => connect(transport, target)))
    const replies = await Promise.all(connections.map((connection) => connection.run('echo on', '', 20 * SECONDS)))
    expect(replies.map(({ stdout }) => stdout)).toEqual(Array(5).fill('on\n'))
    expect(connects).toBe(4)
  })

  test('a jump host that fails has failed for all who ask next, and is asked again later', async () => {
    let knocks = 0
    const silent = await listen(bastion.target.host, () => {
      knocks += 1
    })
    stops.push(silent.stop)
    const transport = open()
    const target = { ...behind([`${USER}@${bastion.target.host}:${silent.port}`]), connectTimeout: 2 * SECONDS }
    const wave = () => Promise.all(Array.from({ length: 4 }, () => catchError(connect(transport, target))))
    const reasons = [...(await wave()), ...(await wave()), ...(await wave())].map(String)
    expect(new Set(reasons).size).toBe(1)
    expect(reasons[0]).toContain(`the jump host ${target.jump?.[0]}`)
    expect(knocks).toBe(1)
    const asksAgain = async () => {
      await wave()
      return knocks
    }
    await expect.poll(asksAgain, { timeout: 30 * SECONDS }).toBe(2)
  })

  test('a jump host that refuses us is not asked for each of the nodes behind it', async () => {
    const stranger = await startSshd('127.7.13.8', [])
    stops.push(stranger.stop)
    const { host, port } = stranger.target
    const line = `[${host}]:${port} ${readPublicKey(join(stranger.folder, 'host_key'))}\n`
    appendFileSync(join(node.folder, 'known_hosts'), line)
    const transport = open()
    const refusals: unknown[] = []
    for (let count = 0; count < 5; count += 1)
      refusals.push(await catchError(connect(transport, behind([word(stranger)]))))
    for (const refusal of refusals) expect(String(refusal)).toContain('refused the login')
    expect(stranger.log().match(/^Connection from /gm)).toHaveLength(1)
  })

  test('many logins of their own at one jump host, more than its sshd allows at once', async () => {
    const keys = Array.from({ length: 9 }, (_, i) => createKey(join(node.folder, `own_${i}_${by}`)))
    for (const key of keys) {
      for (const sshd of [bastion, node])
        appendFileSync(join(sshd.folder, 'authorized_keys'), readFileSync(`${key}.pub`))
    }
    const transport = open()
    const connections = await Promise.all(keys.map((key) => connect(transport, { ...behind([word(bastion)]), key })))
    const replies = await Promise.all(connections.map((connection) => connection.run('echo on', '', 20 * SECONDS)))
    expect(replies.map(({ stdout }) => stdout)).toEqual(Array(9).fill('on\n'))
  })

  test('a jump host that is lost takes its connections with it, and the next one makes a new one', async () => {
    const { listener, jump } = await relayed()
    const transport = open()
    const target = behind([jump])
    const [busy, idle] = [await connect(transport, target), await connect(transport, target)]
    const mark = join(node.folder, 'running')
    const running = catchError(busy.run(`touch ${mark}; sleep 30`, '', 60 * SECONDS))
    await vi.waitUntil(() => existsSync(mark))
    listener.reset()
    const error = await running
    expect(error).toBeInstanceOf(ConnectionLost)
    expect(String(error)).toMatch(
      /nc-01 \(\S+\) was lost while a command ran: the connection to the jump host \S+ \(\S+\) was lost: .*(closed the connection|was reset); what it did is unknown/,
    )
    const again = await connect(transport, target)
    expect(await again.run('echo on', '', 20 * SECONDS)).toMatchObject({ stdout: 'on\n' })
    // By the time another login is through, all is noticed.
    const between = await catchError(idle.run('true', '', 10 * SECONDS))
    expect(between).toBeInstanceOf(Unreachable)
    expect(String(between)).toContain('between two commands: the connection to the jump host')
  })

  test('a jump host lost while nodes log in costs no node, as long as it comes back', async () => {
    const { listener, jump } = await relayed()
    const transport = open()
    await connect(transport, behind([jump]))
    let connects = 0
    const half = await listen('127.7.13.7', (socket) => {
      connects += 1
      // In the middle of the login to the node the way to it is lost, once.
      if (connects === 1) return listener.reset()
      return passOn(socket, node.target.host, node.target.port)
    })
    stops.push(half.stop)
    appendFileSync(
      join(node.folder, 'known_hosts'),
      `[127.7.13.7]:${half.port} ${readPublicKey(join(node.folder, 'host_key'))}\n`,
    )
    const connection = await connect(transport, { ...behind([jump]), host: '127.7.13.7', port: half.port })
    expect(await connection.run('echo on', '', 20 * SECONDS)).toMatchObject({ stdout: 'on\n' })
    expect(connects).toBe(2)
  })

  test('a frozen jump host is noticed', async () => {
    const transport = open()
    const target = behind([word(bastion)])
    await connect(transport, target)
    const sshd = readFileSync(join(bastion.folder, 'pid'), 'utf8').trim()
    const sessions = readFileSync(`/proc/${sshd}/task/${sshd}/children`, 'utf8').trim().split(' ').map(Number)
    for (const pid of sessions) process.kill(pid, 'SIGSTOP')
    stops.push(async () => {
      for (const pid of sessions) process.kill(pid, 'SIGKILL')
    })
    const error = await catchError(connect(transport, { ...target, connectTimeout: 500 }))
    expect(error).toBeInstanceOf(Unreachable)
    expect(String(error)).toMatch(/(the jump host \S+ has no answer from|no login to) nc-01 \(\S+\) within 0.5 s/)
  })

  test.runIf(by === undefined)('closing leaves no connection to a jump host', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
    await vi.waitUntil(() => sockets() === 0, { timeout: 30_000 })
    const transport = sshTransport({ agent: undefined })
    const connection = await transport.connect(behind([word(bastion)]))
    expect(sockets()).toBeGreaterThan(0)
    connection.close()
    transport.close()
    await vi.waitUntil(() => sockets() === 0, { timeout: 30_000 })
  })
})
