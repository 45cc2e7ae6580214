/** What the system's `ssh` says when there is no connection, in our words. It never changes what it says by locale. */

import type { Dropped } from './patience.ts'
import { nameEndpoint } from './socket.ts'
import { NotTrusted, type Target, Unreachable } from './transport.ts'

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/Connection refused/, 'nothing listens there (is sshd running, is the port right?)'],
  [/No route to host|Network is unreachable/, 'there is no route to it'],
  [/Could not resolve hostname/, 'the name cannot be resolved'],
  [/timed out/, 'no answer'],
]

/** `stderr` is of the process that did not connect, `hopSays` what the one of the jump host said meanwhile. */
export function explainRefusal(
  target: Target,
  stderr: string,
  hop: Target | undefined,
  hopSays: string | undefined,
): Error | Dropped {
  const lines = stderr.split(/\r?\n/).filter((line) => line.trim() !== '' && !/^(@|\*\*)/.test(line))
  const last = lines.at(-1) ?? 'ssh said nothing'
  const endpoint = nameEndpoint(target)
  if (hop && /forwarding (request )?failed/i.test(stderr)) return explainHop(target, hop, hopSays ?? '')
  if (/Host key verification failed|HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY/.test(stderr)) {
    const what = lines.find((line) => /host key is known|has changed|marked as revoked/i.test(line)) ?? last
    return new NotTrusted(
      `${endpoint} is not who OpenSSH knows: ${what}`,
      `this shows its key; compare it with what its console says: ${byHand(target)} true`,
    )
  }
  if (/Permission denied|Too many authentication failures/.test(stderr)) {
    return new NotTrusted(
      `${endpoint} refused the login as ${target.user} by OpenSSH: ${last}`,
      `this shows what it offers: ${byHand(target)} -v true`,
    )
  }
  if (/^(kex_exchange_identification|Connection (closed|reset) by|banner exchange)/m.test(stderr))
    return { dropped: '' }
  const reason = REASONS.find(([pattern]) => pattern.test(stderr))?.[1]
  const isConnect = /^ssh: (connect to host|Could not resolve)/m.test(stderr)
  if (isConnect && reason !== undefined) return new Unreachable(`cannot reach ${endpoint}: ${reason}`)
  return new Unreachable(`${endpoint} cannot be spoken to by OpenSSH: ${last}`)
}

/** It speaks of all nodes that it tries at the same time, and not by name: believed where it has one thing to say. */
function explainHop(target: Target, hop: Target, hopSays: string): Error {
  const reasons = new Set([...hopSays.matchAll(/open failed: (.*)/g)].map(([, reason = '']) => reason.trim()))
  const [reason = ''] = reasons
  if (reasons.size === 1 && /prohibited/.test(reason)) {
    return new NotTrusted(
      `${nameEndpoint(hop)} does not let ${hop.user} connect to ${nameEndpoint(target)}: ${reason}`,
      'see AllowTcpForwarding and PermitOpen in its sshd_config, and restrict in its authorized_keys',
    )
  }
  const why = reasons.size === 1 ? `: ${reason.replace(/^connect failed: /, '')}` : ''
  return new Unreachable(`${hop.name} cannot reach ${nameEndpoint(target)}${why}`)
}

function byHand({ user, host, port, config, alias, jump, knownHosts, leaves }: Target): string {
  const file = config === undefined ? '' : ` -F ${config}`
  const known =
    knownHosts[0] === undefined || leaves?.includes('knownHosts') ? '' : ` -o UserKnownHostsFile=${knownHosts[0]}`
  const way = jump === undefined || jump.length === 0 ? '' : ` -J ${jump.join(',')}`
  return `ssh${file}${known}${way} -p ${port} ${user}@${alias ?? host}`
}
