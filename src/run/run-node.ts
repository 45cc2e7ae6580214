/**
 * One node in a run: a connection, what the command does over it, and the outcome.
 *
 * Nothing is thrown but bugs: whatever goes wrong with a node is its outcome, and the others go on.
 */

import { Refusal, Unfit } from '../error.ts'
import { Unintelligible } from '../node/exchange.ts'
import { NotProbed } from '../node/probe.ts'
import type { Activation } from '../node/start.ts'
import {
  type Connection,
  ConnectionLost,
  NotTrusted,
  type Target,
  type Transport,
  Unreachable,
} from '../node/transport.ts'
import type { Going } from './barrier.ts'
import type { Doubting, Prospect } from './guard.ts'
import { type Activated, CHANGING, type Outcome, type RunPhase, type Status } from './outcome.ts'

export interface NodeTask {
  readonly name: string
  readonly target: Target
  readonly serve: Serve
  /** What became of it before its turn: it is not even asked. */
  readonly already?: Told | undefined
}

/** What a command does with one node; it says each phase before it begins it. */
export type Serve = (link: Link, enter: (phase: RunPhase) => void) => Promise<Finding>

/** A node as a run reaches it. */
export interface Link {
  readonly run: string
  /** The newest. */
  readonly connection: Connection
  /** Another connection, which takes the place of the one before; that one is closed only then. */
  renew(timeout: number): Promise<void>
  /** To be asked before the node is changed; it waits for the others of its batch. A run may have doubts of a prospect. */
  mayBegin(prospect: Prospect): Promise<Going>
}

/** Of a node that was not even asked. */
export type Told = Omit<Outcome, 'node' | 'milliseconds'>

export type Finding = Omit<Told, 'activated'> & {
  /** By our clock. */
  readonly activated?: Activation | undefined
}

export interface Means {
  readonly run: string
  readonly transport: Transport
  /** When the run began. */
  readonly began: number
  /** What speaks against what the run is about to do. */
  readonly doubting?: Doubting | undefined
  /** Milliseconds on a clock that never goes back, that of `performance.now`. */
  now(): number
}

interface Listening {
  readonly onPhase: (phase: RunPhase) => void
  readonly mayBegin: (prospect: Prospect) => Promise<Going>
}

export async function runNode(task: NodeTask, means: Means, { onPhase, mayBegin }: Listening): Promise<Outcome> {
  if (task.already) return { ...task.already, node: task.name, milliseconds: 0 }
  const began = means.now()
  let phase: RunPhase = 'connect'
  const enter = (next: RunPhase) => {
    phase = next
    onPhase(next)
  }
  const finding = await attempt(task, means, { enter, mayBegin }).catch((error: unknown) => failure(error, phase))
  const { activated, ...rest } = finding
  const when = activated && { activated: sinceBegin(activated, means.began) }
  return { node: task.name, ...rest, ...when, milliseconds: Math.round(means.now() - began) }
}

function sinceBegin({ heard, at }: Activation, began: number): Activated {
  return { heard: heard - began, ...(at && { at: { earliest: at.earliest - began, latest: at.latest - began } }) }
}

interface Attempting {
  readonly enter: (phase: RunPhase) => void
  readonly mayBegin: (prospect: Prospect) => Promise<Going>
}

async function attempt({ target, serve }: NodeTask, { transport, run }: Means, { enter, mayBegin }: Attempting) {
  enter('connect')
  let connection = await transport.connect(target)
  const link: Link = {
    run,
    mayBegin,
    get connection() {
      return connection
    },
    async renew(timeout) {
      const next = await transport.connect({ ...target, connectTimeout: Math.min(timeout, target.connectTimeout) })
      connection.close()
      connection = next
    },
  }
  try {
    return await serve(link, enter)
  } finally {
    connection.close()
  }
}

function failure(error: unknown, phase: RunPhase): Finding {
  const finding = (status: Status, reason: string): Finding => ({ status, phase, reason, notes: [] })
  if (error instanceof Unreachable) return finding('unreachable', error.message)
  if (error instanceof NotTrusted) return { ...finding('refused', error.message), next: error.next, distrust: true }
  if (error instanceof ConnectionLost || error instanceof Unintelligible) {
    return finding(CHANGING.has(phase) ? 'unknown' : 'unreachable', error.message)
  }
  if (error instanceof Unfit || error instanceof NotProbed) return finding('refused', error.message)
  if (error instanceof Refusal) return { ...finding('refused', error.message), ...(error.next && { next: error.next }) }
  throw error
}
