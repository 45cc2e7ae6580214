/**
 * SSH with the keys and known_hosts files people already have; nothing but sshd is needed on the node.
 *
 * Until the first command is sent nothing was done, so a node that drops us before login (sshd does when too many are
 * logging in at once, see MaxStartups) is asked again a few times. After that nothing here is ever repeated.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { orderHostKeyAlgorithms, readKnownHosts, refuseHostKey } from './host-key.ts'
import { type Identity, loadIdentity } from './identity.ts'
import type { KnownHost } from './known-hosts.ts'
import { nameEndpoint, openSocket } from './socket.ts'
import { SshConnection } from './ssh-connection.ts'
import { type Connection, NotTrusted, type Target, type Transport, Unreachable } from './transport.ts'

export interface SshOptions {
  /** The socket of the ssh-agent, for nodes without a key of their own. */
  readonly agent: string | undefined
}

const ATTEMPTS = 6
const FIRST_PAUSE = 200

/** The node hung up before the login began, having said this. */
interface Dropped {
  readonly dropped: string
}

export function sshTransport(options: SshOptions): Transport {
  return {
    async connect(target) {
      const identity = await loadIdentity(target, options.agent)
      return await connectPatiently(target, identity, await readKnownHosts(target))
    },
  }
}

/** `connectTimeout` covers all attempts and the pauses between them. */
async function connectPatiently(target: Target, identity: Identity, known: readonly KnownHost[]): Promise<Connection> {
  const deadline = performance.now() + target.connectTimeout
  for (let attempt = 1; ; attempt += 1) {
    const result = await connectOnce(target, identity, known, deadline)
    if (!('dropped' in result)) return result

    const pause = FIRST_PAUSE * 2 ** (attempt - 1) * (0.5 + Math.random() / 2)
    if (attempt === ATTEMPTS || performance.now() + pause > deadline) {
      const times = attempt === 1 ? 'hung up' : `hung up ${attempt} times`
      const said = result.dropped ? `, saying "${result.dropped}"` : ''
      throw new Unreachable(`${nameEndpoint(target)} ${times} before the login${said}; is it sshd, is it overloaded?`)
    }
    await sleep(pause)
  }
}

async function connectOnce(
  target: Target,
  identity: Identity,
  known: readonly KnownHost[],
  deadline: number,
): Promise<SshConnection | Dropped> {
  const socket = await openSocket(target, remaining(deadline))
  const connection = new SshConnection(socket, nameEndpoint(target), target.become && target.user)
  let refusal: NotTrusted | undefined
  let shaken = false
  let greeting = ''
  const opening = connection.open(
    {
      username: target.user,
      readyTimeout: remaining(deadline),
      algorithms: { serverHostKey: orderHostKeyAlgorithms(known) },
      // Named here, or the client would first ask to log in with nothing: one round trip more.
      authHandler: [identity.auth],
      hostVerifier: (key: Buffer) => {
        refusal = refuseHostKey(target, known, key)
        return refusal === undefined
      },
    },
    () => {
      shaken = true
    },
  )
  socket.once('data', (chunk: Buffer) => {
    greeting = firstLine(chunk)
  })

  try {
    await opening
    return connection
  } catch (error) {
    if (refusal) throw refusal
    if (!shaken && hasHungUp(error)) return { dropped: greeting }
    throw await explainFailure(target, identity, error)
  }
}

function hasHungUp(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  const closed = message === 'Connection lost before handshake' || message === 'No response from server'
  return closed || code === 'ECONNRESET' || code === 'EPIPE'
}

async function explainFailure(target: Target, identity: Identity, error: unknown): Promise<Error> {
  const { message, level } = error as Error & { readonly level?: string }
  const endpoint = nameEndpoint(target)
  const ours = level === 'client-authentication' || level === 'agent'
  if (ours || /authentication/i.test(message)) {
    const said = ours ? '' : `, saying "${message}"`
    return new NotTrusted(
      `${endpoint} refused the login as ${target.user} with ${await identity.describe()}${said}`,
      `add the public key to .ssh/authorized_keys of ${target.user} on the node; sshd's log there says more`,
    )
  }
  if (level === 'client-timeout') {
    return new Unreachable(`${endpoint} accepted the connection, but no login within ${target.connectTimeout / 1000} s`)
  }
  if (hasHungUp(error)) return new Unreachable(`${endpoint} hung up during the login; sshd's log there says why`)
  return new Unreachable(`${endpoint} cannot be spoken to by SSH: ${message}`)
}

/** What a server says instead of speaking SSH, such as "Exceeded MaxStartups"; one printable line of it. */
function firstLine(chunk: Buffer): string {
  const [line = ''] = chunk.toString('latin1').split(/\r?\n/, 1)
  return line.replace(/[^ -~]/g, '?').slice(0, 80)
}

function remaining(deadline: number): number {
  return Math.max(1, deadline - performance.now())
}
