/** From the `ssh` map of a file to what a transport connects to; the defaults of a login are here and nowhere else. */

import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { AddedAlgorithms } from '../node/algorithms.ts'
import type { Left, Target } from '../node/transport.ts'
import { OLD_ALGORITHMS } from './parts.schema.ts'

/** As both schemas have it. */
export interface SshSettings {
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly key?: string
  readonly become?: 'sudo'
  readonly known_hosts?: string | readonly string[]
  readonly jump?: string | readonly string[]
  readonly handshakes?: number
  readonly config?: string
  readonly connection?: 'openssh'
  /** As the schema has it: the word `legacy`, or what is added. */
  readonly algorithms?: string | Readonly<Partial<OldAlgorithms>>
}

type OldAlgorithms = {
  readonly [list in keyof typeof OLD_ALGORITHMS]: readonly (typeof OLD_ALGORITHMS)[list][number][]
}

/** Milliseconds until a node that does not answer is given up. */
const CONNECT_TIMEOUT = 10_000

export function toTarget(name: string, address: string, ssh: SshSettings, file: string): Target {
  const knownHosts = ssh.known_hosts ?? '~/.ssh/known_hosts'
  return {
    name,
    host: ssh.host ?? address,
    port: ssh.port ?? 22,
    user: ssh.user ?? 'root',
    key: ssh.key === undefined ? undefined : resolvePath(ssh.key, file),
    become: ssh.become,
    knownHosts: [knownHosts].flat().map((path) => resolvePath(path, file)),
    connectTimeout: CONNECT_TIMEOUT,
    jump: ssh.jump === undefined || ssh.jump === 'none' ? undefined : [ssh.jump].flat(),
    handshakes: ssh.handshakes,
    algorithms: ssh.algorithms === undefined ? undefined : toAlgorithms(ssh.algorithms),
    config: ssh.config === undefined ? undefined : resolvePath(ssh.config, file),
    connection: ssh.connection,
    leaves: ssh.config === undefined && ssh.connection === undefined ? undefined : leftBy(ssh),
  }
}

function toAlgorithms(said: NonNullable<SshSettings['algorithms']>): AddedAlgorithms {
  const {
    key_exchange = [],
    ciphers = [],
    host_keys = [],
    macs = [],
  } = typeof said === 'string' ? OLD_ALGORITHMS : said
  return { keyExchange: key_exchange, ciphers, hostKeys: host_keys, macs }
}

function leftBy(ssh: SshSettings): readonly Left[] {
  const { host, port, user, key, known_hosts: knownHosts, jump } = ssh
  const said: Readonly<Record<Left, unknown>> = { host, port, user, key, knownHosts, jump }
  return LEFT.filter((name) => said[name] === undefined)
}

const LEFT = ['host', 'port', 'user', 'key', 'knownHosts', 'jump'] as const satisfies readonly Left[]

/** Absolute; relative paths start at the folder of the file they stand in, wherever the command is typed. */
export function resolvePath(path: string, file: string): string {
  return path.startsWith('~/') ? join(homedir(), path.slice(1)) : resolve(dirname(file), path)
}
