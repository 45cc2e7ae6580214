/**
 * How a jump host is logged in to: as its word says, else as OpenSSH's configuration says of that host, else with the
 * key and the known_hosts files of the node behind it. The user is, as with OpenSSH, the one who types, if nobody says.
 */

import { userInfo } from 'node:os'
import { type Hop, parseHop } from './hop.ts'
import type { AskConfig, ConfiguredHost } from './openssh-config.ts'
import { type Left, NotTrusted, type Target } from './transport.ts'

/** The last of them, which connects to the target; its own `jump` is the way to it. Undefined where there is none. */
export async function toHop(target: Target, ask: AskConfig): Promise<Target | undefined> {
  const way = await unroll(target, ask)
  const word = way.at(-1)
  if (word === undefined) return undefined
  const hop = readHop(word, target)
  const said = await askAbout(hop, target, ask)
  if (said?.proxyCommand !== undefined && way.length === 1 && !target.connection)
    throw noProxyCommand(word, said.proxyCommand)
  return {
    name: `the jump host ${word}`,
    host: said?.host ?? hop.host,
    port: said?.port ?? hop.port ?? 22,
    user: hop.user ?? said?.user ?? userInfo().username,
    key: said?.key ?? target.key,
    knownHosts: said?.knownHosts ?? target.knownHosts,
    connectTimeout: target.connectTimeout,
    jump: way.slice(0, -1),
    config: target.config,
    connection: target.connection,
    alias: hop.host,
    leaves: leftBy(said, way),
  }
}

/** What OpenSSH finds by itself where it makes the connection. */
function leftBy(said: ConfiguredHost | undefined, way: readonly string[]): readonly Left[] {
  const left: readonly (Left | undefined)[] = [
    said === undefined ? undefined : 'host',
    said?.key === undefined ? undefined : 'key',
    said?.knownHosts === undefined ? undefined : 'knownHosts',
    way.length === 1 ? 'jump' : undefined,
  ]
  return left.filter((name) => name !== undefined)
}

/** Logins that are the same share a connection. */
export function nameHop({ host, port, user, key, knownHosts, jump, config }: Target): string {
  return JSON.stringify([user, host, port, key, knownHosts, jump, config])
}

/** With the jump hosts of the first jump host, which only OpenSSH's configuration knows. */
async function unroll(target: Target, ask: AskConfig): Promise<readonly string[]> {
  let way = target.jump ?? []
  for (const seen = new Set<string>(); ; ) {
    const [first] = way
    if (first === undefined) return way
    if (seen.has(first)) throw circle(first, target)
    seen.add(first)
    const before = (await askAbout(readHop(first, target), target, ask))?.jump ?? []
    if (before.length === 0) return way
    way = [...before, ...way]
  }
}

function askAbout(hop: Hop, { config }: Target, ask: AskConfig): Promise<ConfiguredHost | undefined> {
  return ask({ ...hop, file: config })
}

function readHop(word: string, { name }: Target): Hop {
  const hop = parseHop(word)
  if (hop) return hop
  throw new NotTrusted(`"${word}" is no jump host for ${name}`, 'write HOST, USER@HOST or USER@HOST:PORT')
}

function circle(word: string, { name }: Target): NotTrusted {
  return new NotTrusted(
    `the way to ${name} leads through ${word} twice`,
    `look at ProxyJump: ssh -G ${parseHop(word)?.host ?? word}`,
  )
}

function noProxyCommand(word: string, command: string): NotTrusted {
  return new NotTrusted(
    `OpenSSH's configuration has a ProxyCommand for the jump host ${word}, which is not run here: ${command}`,
    `name the host that it goes through before it: jump: [HOST, ${word}]`,
  )
}
