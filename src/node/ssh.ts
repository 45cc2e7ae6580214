/**
 * SSH with the keys and known_hosts files people already have; nothing but sshd is needed on the node. After the first
 * command is sent nothing here is ever repeated.
 */

import { offer } from './algorithms.ts'
import { completeTarget } from './complete-target.ts'
import { orderHostKeyAlgorithms, readKnownHosts, refuseHostKey } from './host-key.ts'
import { type Identity, openIdentities } from './identity.ts'
import { nameHop, toHop } from './jump-host.ts'
import type { KnownHost } from './known-hosts.ts'
import { openSshTransport } from './openssh.ts'
import { openSshConfig } from './openssh-config.ts'
import { type Dropped, hasHungUp, hearGreeting, isDropped, patiently, type Time } from './patience.ts'
import type { Passphrases } from './private-key.ts'
import { scanHostKeys } from './scan-host-keys.ts'
import { nameEndpoint } from './socket.ts'
import { SshConnection, type Way } from './ssh-connection.ts'
import { NotTrusted, type Target, type Transport, Unreachable } from './transport.ts'
import { openTurns, type Turns } from './turns.ts'
import { openWays, type Ways } from './ways.ts'

export interface SshOptions {
  /** The socket of the ssh-agent, for nodes without a key of their own. */
  readonly agent: string | undefined
  /** For encrypted keys that the agent does not hold. */
  readonly passphrases?: Passphrases
}

export interface SshTransport extends Transport {
  /** With what its inventory leaves to OpenSSH's configuration. */
  complete(target: Target): Promise<Target>
  /** The target, complete, and the jump hosts before it: the last is the one that is reached from here. */
  wayTo(target: Target): Promise<readonly Target[]>
  /** Every host key of a node, of which the target is complete; nobody logs in there. */
  hostKeys(target: Target): Promise<readonly Buffer[]>
  /** The connections to jump hosts; those to nodes are whose they were given to. */
  close(): void
}

/** One for a process: what it opens is shared by all nodes. */
export function sshTransport(options: SshOptions): SshTransport {
  const ask = openSshConfig()
  const turns = openTurns()
  const loadIdentity = openIdentities(options.agent, options.passphrases ?? {})
  const complete = (target: Target) => completeTarget(target, ask)
  const logIn = async (target: Target): Promise<SshConnection> => {
    const identity = await loadIdentity(target)
    const login = { target, identity, known: await readKnownHosts(target), hop: await toHop(target, ask) }
    return await patiently(target, (time) => connectOnce(login, time, ways, turns))
  }
  const ways = openWays(logIn)
  const openssh = openSshTransport(ask, turns)
  return {
    async connect(unfinished) {
      const target = await complete(unfinished)
      return await (target.connection === 'openssh' ? openssh.connect(target) : logIn(target))
    },
    complete,
    async wayTo(unfinished) {
      const target = await complete(unfinished)
      const way = [target]
      for (let hop = await toHop(target, ask); hop; hop = await toHop(hop, ask)) way.push(hop)
      return way
    },
    hostKeys: async (target) => await scanHostKeys(target, await toHop(target, ask), ways),
    close() {
      ways.close()
      openssh.close()
    },
  }
}

interface Login {
  readonly target: Target
  readonly identity: Identity
  readonly known: readonly KnownHost[]
  /** The jump host that connects to the target, if it is behind one. */
  readonly hop: Target | undefined
}

/**
 * An sshd that we connect to by ourselves counts us from the first packet on, so that is within a turn. Behind a jump
 * host a turn begins when the node has answered: nodes that are gone keep no others waiting.
 */
async function connectOnce(login: Login, time: Time, ways: Ways, turns: Turns): Promise<SshConnection | Dropped> {
  const { target, hop } = login
  const { host, port, handshakes } = target
  const shake = (way: Way) => turns.here(time, () => handshake(login, way, time))
  if (!hop) {
    return await turns.atHop(`${host}:${port}`, handshakes, time, async () => {
      const way = await ways.open(target, undefined, time)
      return isDropped(way) ? way : await shake(way)
    })
  }
  const way = await ways.open(target, hop, time)
  return isDropped(way) ? way : await turns.atHop(nameHop(hop), handshakes, time, () => shake(way))
}

async function handshake(login: Login, way: Way, time: Time): Promise<SshConnection | Dropped> {
  const { target, identity, known } = login
  const connection = new SshConnection(way, nameEndpoint(target), target.become && target.user)
  let refusal: NotTrusted | undefined
  let shaken = false
  const opening = connection.open(
    {
      username: target.user,
      readyTimeout: time.left(),
      algorithms: offer(orderHostKeyAlgorithms(known), target.algorithms),
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
  const greeting = hearGreeting(way.socket)

  try {
    await opening
    return connection
  } catch (error) {
    if (refusal) throw refusal
    const by = way.whyLost()
    if (by !== undefined) return { dropped: '', by }
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
      `add the public key to .ssh/authorized_keys of ${target.user} there; sshd's log there says more`,
    )
  }
  if (level === 'client-timeout') {
    return new Unreachable(`${endpoint} accepted the connection, but no login within ${target.connectTimeout / 1000} s`)
  }
  if (hasHungUp(error)) return new Unreachable(`${endpoint} hung up during the login; sshd's log there says why`)
  const isOld = message.includes('no matching') && target.algorithms === undefined
  const next = isOld ? '; if it is an old server, say algorithms: legacy in its ssh map' : ''
  return new Unreachable(`${endpoint} cannot be spoken to by SSH: ${message}${next}`)
}
