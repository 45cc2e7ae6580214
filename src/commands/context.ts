import type { Target, Transport } from '../node/transport.ts'
import type { Terminal } from '../report/terminal.ts'
import type { Listener } from '../run/event.ts'
import type { OwnAddress } from './doubt-path.ts'

/** What a command may use of the world outside; only cli.ts makes one for real. */
export interface Context {
  readonly terminal: Terminal
  readonly transport: Transport
  readonly hosts: Hosts
  /** Of this process. */
  readonly pid: number
  /** Of this host. */
  readonly ownAddresses: readonly OwnAddress[]
  /** Folder of the record. */
  readonly stateFolder: string
  /** Where a playbook is looked for when none is named. */
  readonly playbookPlaces: readonly string[]
  readonly version: string
  /** What this program is started by: an interpreter and its file. */
  readonly program: readonly string[]
  /** Aborted when the user wants the command to end. */
  readonly signal: AbortSignal
  /** Somebody wants the configuration read again; what nobody has asked for ends the process, as ever. */
  readonly onHangup: (listener: () => void) => void
  /** A word for the service manager, where one waits for it. */
  readonly notify: (word: string) => void
  /** A question to be answered with yes or no; absent where nobody sits at a terminal. */
  readonly ask: ((question: string) => Promise<boolean>) | undefined
  readonly clock: () => Date
  /** Diagnostics for -v; says nothing otherwise. */
  readonly log: Listener
}

/** What is to be known of hosts before anybody logs in to them. */
interface Hosts {
  /** With what its inventory leaves to OpenSSH's configuration. */
  complete(target: Target): Promise<Target>
  /** The target, complete, and the jump hosts before it: the last is the one that is reached from here. */
  wayTo(target: Target): Promise<readonly Target[]>
  /** Those that a host offers now, of which the target is complete. */
  hostKeys(target: Target): Promise<readonly Buffer[]>
}

/** Flags that every command about nodes takes, as typed. */
export interface NodeFlags {
  readonly inventory: string | undefined
  readonly node: readonly string[]
  readonly limit: string | undefined
  readonly json: boolean
}

export interface ViewFlags extends NodeFlags {
  readonly view: string | undefined
  readonly mode: string | undefined
  readonly lenient: boolean
  readonly forks: number | undefined
}
