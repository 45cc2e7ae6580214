/** What must work before a commit is confirmed: asked of the node, or tried from here. */

import type { Bundle } from '../bundle/bundle.ts'
import { type Knocked, knock } from '../node/knock.ts'
import { ping } from '../node/ping.ts'
import { type Verdict, verify } from '../node/protocol.ts'
import type { Connection } from '../node/transport.ts'

export interface Check {
  readonly name: string
  /** Changes nothing, and may be asked again: `refused` says that it does not work. */
  ask(connection: Connection, bundle: Bundle, run: string): Promise<Verdict>
}

/** `name` is a check of the node's mode; `timeout` in milliseconds. */
export function nodeCheck(name: string, timeout: number): Check {
  return { name, ask: (connection, bundle, run) => verify(connection, bundle, run, name, timeout) }
}

export interface Probing {
  readonly to: string
  /** A TCP connection to this port, or an echo request. */
  readonly packet: number | 'echo'
  readonly expect: 'pass' | 'drop'
  /** Milliseconds; nothing that came back by then is taken for a drop. */
  readonly timeout: number
}

/** An instance that refuses has got the packet, so that it passed; only silence is a drop. */
export function probeCheck({ to, packet, expect, timeout }: Probing): Check {
  return {
    name: packet === 'echo' ? `probe of ${to} by ping` : `probe of ${to} port ${packet}`,
    async ask() {
      const knocked = packet === 'echo' ? await ping(to, timeout) : await knock(to, packet, timeout)
      const passed = knocked !== 'silence' && !(knocked instanceof Error)
      const expected = expect === 'pass' ? passed : knocked === 'silence'
      if (expected) return { state: 'done', notes: [], errors: [] }
      return { state: 'refused', notes: [], errors: [`${describe(knocked, timeout)}, but it should ${expect}`] }
    },
  }
}

function describe(knocked: Knocked, timeout: number): string {
  if (knocked instanceof Error) return `it cannot be sent (${knocked.message})`
  return knocked === 'silence' ? `nothing came back within ${timeout / 1_000} s` : `it was ${knocked}`
}
