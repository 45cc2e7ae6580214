import { createHash } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { sshTransport } from '../../src/node/ssh.ts'
import { type Connection, ConnectionLost, type Target, Unreachable } from '../../src/node/transport.ts'
import { readPublicKey } from './keys.ts'
import { findPort, listen, relay } from './listener.ts'
import { type Sshd, startSshd } from './sshd.ts'

const HOST = '127.7.11.1'
const SECONDS = 1_000

let sshd: Sshd
const opened: { close(): void }[] = []
const stops: (() => Promise<void>)[] = []

beforeAll(async () => {
  sshd = await startSshd(HOST, [])
})

afterEach(async () => {
  for (const connection of opened.splice(0)) connection.close()
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

afterAll(() => sshd.stop())

/** Nothing that is configured for whoever runs the tests. */
const OPENSSH = { connection: 'openssh', config: 'none' } as const

describe.each([
  ['our own', {}],
  ["the system's ssh", OPENSSH],
])('%s', (_, how: Partial<Target>) => {
  async function connect(target: Target): Promise<Connection> {
    const transport = sshTransport({ agent: undefined })
    const connection = await transport.connect({ ...target, ...how })
    opened.push(connection, transport)
    return connection
  }

  /** The sshd behind a relay that can be told to reset. */
  async function connectByRelay() {
    const listener = await relay(HOST, sshd.target.port)
    stops.push(listener.stop)
    const knownHosts = join(sshd.folder, `known_hosts.${listener.port}`)
    writeFileSync(knownHosts, `[${HOST}]:${listener.port} ${readPublicKey(join(sshd.folder, 'host_key'))}\n`)
    const connection = await connect({ ...sshd.target, port: listener.port, knownHosts: [knownHosts] })
    return { listener, connection }
  }

  function countSockets(): number {
    return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
  }

  function catchError(promise: Promise<unknown>): Promise<unknown> {
    return promise.then(
      () => undefined,
      (error: unknown) => error,
    )
  }

  test('several commands on one connection', async () => {
    const connection = await connect(sshd.target)
    expect(await connection.run('cat; echo problem >&2', 'hello\n', 10 * SECONDS)).toEqual({
      code: 0,
      stdout: 'hello\n',
      stderr: 'problem\n',
    })
    expect(await connection.run('exit 7', '', 10 * SECONDS)).toEqual({ code: 7, stdout: '', stderr: '' })
    expect(await connection.run('wc -c', '', 10 * SECONDS)).toMatchObject({ code: 0, stdout: '0\n' })
  })

  test('a command that is answered while it runs', async () => {
    const connection = await connect(sshd.target)
    const heard: string[] = []
    const talk = (line: string) => {
      heard.push(line)
      return line === 'ready?' ? Promise.resolve('go\n') : undefined
    }
    const script = 'read -r first; echo "$first"; echo "ready?"; cat; exit 5'
    expect(await connection.run(script, 'hello\n', 10 * SECONDS, talk)).toEqual({
      code: 5,
      stdout: 'hello\nready?\ngo\n',
      stderr: '',
    })
    expect(heard.slice(0, 3)).toEqual(['hello', 'ready?', 'go'])
    expect(await connection.run('cat', 'on\n', 10 * SECONDS)).toMatchObject({ stdout: 'on\n' })
  })

  test('a megabyte arrives as it was sent', async () => {
    const connection = await connect(sshd.target)
    const input = Array.from({ length: 8_192 }, (_, index) => `${index} ${'\0\r\n\u007fä'.repeat(24)}`).join('\n')
    expect(Buffer.byteLength(input)).toBeGreaterThan(1024 * 1024)
    const digest = createHash('sha256').update(input).digest('hex')
    expect(await connection.run('sha256sum', input, 10 * SECONDS)).toMatchObject({ code: 0, stdout: `${digest}  -\n` })
  })

  test('characters that come in two packets are put together', async () => {
    const connection = await connect(sshd.target)
    const input = `.${'€😀'.repeat(50_000)}`
    const reply = await connection.run('tee /dev/stderr', input, 10 * SECONDS)
    expect(reply.stdout === input).toBe(true)
    expect(reply.stderr === input).toBe(true)
  })

  test('a command that does not read its input', async () => {
    const connection = await connect(sshd.target)
    expect(await connection.run('exit 3', 'x'.repeat(8 * 1024 * 1024), 10 * SECONDS)).toMatchObject({ code: 3 })
    expect(await connection.run('echo on', '', 10 * SECONDS)).toMatchObject({ stdout: 'on\n' })
  })

  test('a command ended by a signal has no result', async () => {
    const connection = await connect(sshd.target)
    const error = await catchError(connection.run('kill -9 $$', '', 10 * SECONDS))
    expect(error).toBeInstanceOf(ConnectionLost)
    expect(String(error)).toMatch(/ended a command (by SIGKILL|without an exit code); what it did is unknown/)
    expect(await connection.run('echo on', '', 10 * SECONDS)).toMatchObject({ stdout: 'on\n' })
  })

  test('a server killed in mid-command', async () => {
    const connection = await connect(sshd.target)
    const error = await catchError(connection.run('kill -9 $PPID; cat', 'some', 10 * SECONDS))
    expect(error).toBeInstanceOf(ConnectionLost)
    expect(String(error)).toMatch(
      /was lost while a command ran: .*(closed the connection|was reset); what it did is unknown$/,
    )
    expect(await catchError(connection.run('true', '', 10 * SECONDS))).toBeInstanceOf(Unreachable)
  })

  test('a reset in mid-command', async () => {
    const { listener, connection } = await connectByRelay()
    const mark = join(sshd.folder, 'running')
    const running = catchError(connection.run(`touch ${mark}; sleep 1`, 'x'.repeat(8 * 1024 * 1024), 10 * SECONDS))
    await vi.waitUntil(() => existsSync(mark))
    listener.reset()
    const error = await running
    expect(error).toBeInstanceOf(ConnectionLost)
    expect(String(error)).toContain('ran: the connection was reset')
  })

  test('a reset while idle', async () => {
    const { listener, connection } = await connectByRelay()
    expect(await connection.run('echo on', '', 10 * SECONDS)).toMatchObject({ stdout: 'on\n' })
    listener.reset()
    // By the time another login is through, the reset has long arrived.
    await connect(sshd.target)
    const error = await catchError(connection.run('true', '', 10 * SECONDS))
    expect(error).toBeInstanceOf(Unreachable)
    expect(String(error)).toContain('between two commands: the connection was reset')
  })

  test('a command over its time', async () => {
    const connection = await connect(sshd.target)
    const error = await catchError(connection.run('read line; sleep 1 & wait', '', 200))
    expect(error).toBeInstanceOf(ConnectionLost)
    expect(String(error)).toContain('did not answer within 0.2 s; what it did is unknown')
    expect(await catchError(connection.run('true', '', 10 * SECONDS))).toBeInstanceOf(Unreachable)
  })

  test('more output than fits', async () => {
    const connection = await connect(sshd.target)
    const error = await catchError(connection.run('head -c 70000000 /dev/zero', '', 30 * SECONDS))
    expect(error).toBeInstanceOf(ConnectionLost)
    expect(String(error)).toContain('sent more than 64 MiB')
  })

  test.runIf(how.connection === undefined)(
    'closing leaves no socket that keeps the process alive, even when the node is frozen',
    async () => {
      await vi.waitUntil(() => countSockets() === 0)
      const connection = await connect(sshd.target)
      const session = Number((await connection.run('echo $PPID', '', 10 * SECONDS)).stdout)
      stops.push(async () => {
        process.kill(session, 'SIGKILL')
      })
      process.kill(session, 'SIGSTOP')
      expect(countSockets()).toBe(1)
      connection.close()
      connection.close()
      await vi.waitUntil(() => countSockets() === 0)
    },
  )

  test('what a command wrote before it ended with 255 is a result', async () => {
    const connection = await connect(sshd.target)
    const reply = await connection.run('printf out; printf err >&2; exit 255', '', 10 * SECONDS)
    expect(reply).toEqual({ code: 255, stdout: 'out', stderr: 'err' })
  })

  test('nobody listens', async () => {
    const error = await catchError(connect({ ...sshd.target, port: await findPort(HOST) }))
    expect(error).toBeInstanceOf(Unreachable)
    expect(String(error)).toMatch(/cannot reach nc-01 \(127\.7\.11\.1:\d+\): nothing listens there/)
  })

  test('a name that does not exist', async () => {
    const error = await catchError(connect({ ...sshd.target, host: 'nc-01.invalid' }))
    expect(error).toBeInstanceOf(Unreachable)
    expect(String(error)).toContain('name')
  })

  test('a listener that never speaks', async () => {
    const { port, stop } = await listen(HOST, () => {})
    stops.push(stop)
    const started = performance.now()
    const error = await catchError(connect({ ...sshd.target, port, connectTimeout: 300 }))
    expect(performance.now() - started).toBeLessThan(5 * SECONDS)
    expect(error).toBeInstanceOf(Unreachable)
    expect(String(error)).toMatch(/(accepted the connection, but no login|no login to .*) within 0.3 s/)
  })

  test('a listener that hangs up is asked again, but not for ever', async () => {
    let connects = 0
    const { port, stop } = await listen(HOST, (socket) => {
      connects += 1
      socket.end('Exceeded MaxStartups\r\n')
    })
    stops.push(stop)
    const error = await catchError(connect({ ...sshd.target, port, connectTimeout: 30 * SECONDS }))
    expect(error).toBeInstanceOf(Unreachable)
    expect(String(error)).toContain(
      how.connection
        ? 'hung up 6 times before the login; is it sshd'
        : 'before the login, saying "Exceeded MaxStartups"',
    )
    expect(connects).toBeGreaterThan(1)
  })

  test('more logins at once than sshd allows', async () => {
    const busy = await startSshd('127.7.11.2', ['MaxStartups 2:100:2'])
    stops.push(busy.stop)
    const connections = await Promise.all(Array.from({ length: 8 }, () => connect(busy.target)))
    expect(busy.log()).toContain('MaxStartups')
    const replies = await Promise.all(connections.map((connection) => connection.run('echo on', '', 10 * SECONDS)))
    expect(replies.map((reply) => reply.stdout)).toEqual(Array(8).fill('on\n'))
  })
})
