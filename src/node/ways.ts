/**
 * Ways to SSH servers: straight, or through jump hosts.
 *
 * One connection to a jump host carries those to all nodes behind it, as long as this process lives. When it is lost, so
 * are the connections it carries; the next one makes a new one. Whatever is wrong with a jump host is told as the jump
 * host's, and where it is only busy it is asked again, as a node would be.
 */

import { Duplex } from 'node:stream'
import type { ClientChannel } from 'ssh2'
import { openHops } from './hops.ts'
import type { Dropped, Time } from './patience.ts'
import { nameEndpoint, openSocket } from './socket.ts'
import type { SshConnection, Way } from './ssh-connection.ts'
import { NotTrusted, type Target, Unreachable } from './transport.ts'

export interface Ways {
  /** `hop` is the jump host that connects to the target, if it is behind one. */
  open(target: Target, hop: Target | undefined, time: Time): Promise<Way | Dropped>
  close(): void
}

export function openWays(logIn: (hop: Target) => Promise<SshConnection>): Ways {
  const hops = openHops(logIn, (connection) => new Promise((resolve) => connection.onEnd(resolve)))

  return {
    async open(target, hop, time) {
      if (!hop) return { socket: await openSocket(target, time.left()), whyLost: () => undefined }
      const began = performance.now()
      const connection = await hops.connect(hop)
      time.forgive(performance.now() - began)
      return await goOn(connection, hop, target, time)
    },
    close() {
      for (const hop of hops.all()) hop.then((connection) => connection.close()).catch(() => undefined)
    },
  }
}

async function goOn(connection: SshConnection, hop: Target, target: Target, time: Time): Promise<Way | Dropped> {
  try {
    const channel = await within(time.left(), connection.forward(target.host, target.port))
    const whyLost = () => connection.whyLost()
    if (channel) return { socket: toSocket(channel), whyLost }
  } catch (error) {
    const lost = connection.whyLost()
    if (lost !== undefined) return { dropped: '', by: lost }
    throw explain(error, hop, target)
  }
  const seconds = target.connectTimeout / 1000
  throw new Unreachable(`${hop.name} has no answer from ${nameEndpoint(target)} within ${seconds} s`)
}

/** Undefined when it takes longer; what comes then is closed. */
function within(milliseconds: number, opening: Promise<ClientChannel>): Promise<ClientChannel | undefined> {
  return new Promise((resolve, reject) => {
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      resolve(undefined)
    }, milliseconds)
    opening.then((channel) => (isLate ? channel.close() : resolve(channel)), reject).finally(() => clearTimeout(timer))
  })
}

/**
 * A channel as a socket would be: it ends when either side does, and can be destroyed at once. A channel waits for the
 * other side's word, which never comes from a jump host that is gone.
 */
function toSocket(channel: ClientChannel): Duplex {
  const socket = new Duplex({
    allowHalfOpen: false,
    read: () => channel.resume(),
    write: (chunk, _, done) => channel.write(chunk, done),
    final(done) {
      channel.end()
      done()
    },
    destroy(error, done) {
      channel.close()
      done(error)
    },
  })
  channel.on('data', (chunk: Buffer) => {
    if (!socket.push(chunk)) channel.pause()
  })
  channel.on('end', () => socket.push(null))
  // After what has arrived is read.
  channel.on('close', () => setImmediate(() => socket.destroy()))
  channel.on('error', () => socket.destroy())
  return socket
}

/** RFC 4254 5.1: 1 is "administratively prohibited", 2 "connect failed". */
function explain(error: unknown, hop: Target, target: Target): Error {
  const { reason, message } = error as Error & { readonly reason?: number | string }
  const said = message.replace('(SSH) Channel open failure: ', '')
  if (reason === 2) return new Unreachable(`${hop.name} cannot reach ${nameEndpoint(target)}: ${said}`)
  if (reason === 1) {
    return new NotTrusted(
      `${nameEndpoint(hop)} does not let ${hop.user} connect to ${nameEndpoint(target)}: ${said}`,
      'see AllowTcpForwarding and PermitOpen in its sshd_config, and restrict in its authorized_keys',
    )
  }
  return new Unreachable(`${nameEndpoint(hop)} does not go on to ${nameEndpoint(target)}: ${said}`)
}
