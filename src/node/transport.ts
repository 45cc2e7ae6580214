/**
 * How bytes reach a node: one connection, commands on it, nothing about bundles.
 *
 * Every exchange is one command with its input on stdin, whole, or but for one answer to what it says meanwhile. A command that ends without an exit code (the connection
 * was lost, the process was killed) is never a result: it is thrown as `ConnectionLost`, because what the node did is
 * unknown then, and only a new probe can tell.
 */

import type { AddedAlgorithms } from './algorithms.ts'

export interface Target {
  /** The node's name in the inventory, for messages. */
  readonly name: string
  /** The file of the inventory that it is a node of, for messages that say what to type. */
  readonly inventory?: string
  readonly host: string
  readonly port: number
  readonly user: string
  /** Path of a private key; without one the agent is asked. */
  readonly key: string | undefined
  /** How the user becomes root; absent where the login is root's, or need not be. */
  readonly become?: 'sudo' | undefined
  /** Paths of known_hosts files: one that holds the node's key is enough, one that revokes it refuses. */
  readonly knownHosts: readonly string[]
  /** In milliseconds, from the first packet to the login, all attempts together; waiting for a turn is not counted. */
  readonly connectTimeout: number
  /** The hosts that the connection goes through, as written (hop.ts); the first is reached from here. */
  readonly jump?: readonly string[] | undefined
  /** How many nodes behind one jump host may be logging in at once. */
  readonly handshakes?: number | undefined
  /** For old servers. */
  readonly algorithms?: AddedAlgorithms | undefined
  /** The file of ssh_config(5) that is asked about what the inventory leaves to it. */
  readonly config?: string | undefined
  readonly leaves?: readonly Left[] | undefined
  /** What OpenSSH calls it, once it was asked; `leaves` is then what it finds by itself under that name. */
  readonly alias?: string | undefined
  /** Who speaks SSH: we, or the system's `ssh`. */
  readonly connection?: 'openssh' | undefined
}

/** What an inventory need not say, because a file of ssh_config(5) may. */
export type Left = 'host' | 'port' | 'user' | 'key' | 'knownHosts' | 'jump'

export interface Transport {
  connect(target: Target): Promise<Connection>
}

export interface Connection {
  /** Who logged in, where that user becomes root by sudo. */
  readonly sudoer?: string | undefined
  /**
   * One at a time. After `timeout` milliseconds, in which no time counts that an answer takes, the connection is closed;
   * what the node is doing goes on.
   */
  run(command: string, input: string, timeout: number, talk?: Talk): Promise<Reply>
  /** Why it was lost, or that it was closed; undefined while commands can be sent. */
  whyLost(): string | undefined
  /** Never throws, may be called again. */
  close(): void
}

/**
 * Hears each whole line of a command's output as it comes. The first line that is answered is the last: its answer is sent,
 * and the command's input ends. Where nothing talks, it ends at once.
 */
export type Talk = (line: string) => Promise<string> | undefined

export interface Reply {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Nothing was done on the node: it did not answer in time, refused the connection, is not known by name, or the
 * connection was already lost when the command was to be sent.
 */
export class Unreachable extends Error {}

/** Nothing was done on the node: its host key is not the one we know, or it does not accept our key, or we have none, or sudo refuses. */
export class NotTrusted extends Error {
  readonly next: string

  constructor(message: string, next: string) {
    super(message)
    this.next = next
  }
}

/** The connection was lost after a command had been sent: what the node did is unknown. */
export class ConnectionLost extends Error {}
