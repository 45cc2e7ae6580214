/**
 * SSH with the keys and known_hosts files people already have; nothing but sshd is needed on the node. After the first
 * command is sent nothing here is ever repeated.
 */

import { orderHostKeyAlgorithms, readKnownHosts, refuseHostKey } from './host-key.ts'
import { type Identity, loadIdentity } from './identity.ts'
import type { KnownHost } from './known-hosts.ts'
import { type Dropped, hasHungUp, hearGreeting, patiently, remaining } from './patience.ts'
import { nameEndpoint, openSocket } from './socket.ts'
import { SshConnection } from './ssh-connection.ts'
import { NotTrusted, type Target, type Transport, Unreachable } from './transport.ts'

export interface SshOptions {
  /** The socket of the ssh-agent, for nodes without a key of their own. */
  readonly agent: string | undefined
}

export function sshTransport(options: SshOptions): Transport {
  return {
    async connect(target) {
      const identity = await loadIdentity(target, options.agent)
      const known = await readKnownHosts(target)
      return await patiently(target, (deadline) => connectOnce(target, identity, known, deadline))
    },
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
  const greeting = hearGreeting(socket)

  try {
    await opening
    return connection
  } catch (error) {
    if (refusal) throw refusal
    if (!shaken && hasHungUp(error)) return { dropped: greeting() }
    throw await explainFailure(target, identity, error)
  }
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
