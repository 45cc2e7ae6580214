/**
 * One node, from the first byte to its outcome: probe, render, stage, commit, confirm over one connection.
 *
 * Nothing is thrown but bugs: whatever goes wrong with a node is its outcome, and the others go on.
 */

import type { Bundle } from '../bundle/bundle.ts'
import { compare } from '../bundle/compare.ts'
import type { Templates } from '../bundle/templates.ts'
import { Refusal, Unfit } from '../error.ts'
import { Unintelligible } from '../node/exchange.ts'
import { NotProbed, type Probed, probe } from '../node/probe.ts'
import { commit, confirm, stage, type Verdict } from '../node/protocol.ts'
import {
  type Connection,
  ConnectionLost,
  NotTrusted,
  type Target,
  type Transport,
  Unreachable,
} from '../node/transport.ts'
import type { Outcome, RunPhase } from './outcome.ts'

export interface NodeTask {
  readonly name: string
  readonly target: Target
  /** What this node should hold, once we know what only it knows. Throws `Unfit` when it cannot be served. */
  bundleFor(probed: Probed): Bundle
}

export interface Means {
  readonly transport: Transport
  readonly templates: Templates
  /** Milliseconds on a clock that never goes back. */
  now(): number
}

type Finding = Omit<Outcome, 'node' | 'milliseconds'>

export async function pushNode(task: NodeTask, means: Means, onPhase: (phase: RunPhase) => void): Promise<Outcome> {
  const began = means.now()
  let phase: RunPhase = 'connect'
  const enter = (next: RunPhase) => {
    phase = next
    onPhase(next)
  }
  const finding = await attempt(task, means, enter).catch((error: unknown) => failure(error, phase))
  return { node: task.name, ...finding, milliseconds: Math.round(means.now() - began) }
}

async function attempt(task: NodeTask, means: Means, enter: (phase: RunPhase) => void): Promise<Finding> {
  enter('connect')
  const connection = await means.transport.connect(task.target)
  try {
    enter('probe')
    const probed = await probe(connection, means.templates)
    enter('render')
    const bundle = task.bundleFor(probed)
    const difference = compare(bundle, probed.holding)
    if (difference === 'none') return { status: 'unchanged', phase: 'probe', digest: bundle.digest, notes: [] }
    return await bring(connection, bundle, difference, enter)
  } finally {
    connection.close()
  }
}

/** The verbs in their order; the first that does not succeed decides. */
async function bring(
  connection: Connection,
  bundle: Bundle,
  difference: string,
  enter: (phase: RunPhase) => void,
): Promise<Finding> {
  const notes: string[] = []
  const steps = [
    ['stage', stage],
    ['commit', commit],
    // The barrier and the verification of a stage stand between these two, once there is a window to confirm in.
    ['confirm', confirm],
  ] as const
  for (const [phase, step] of steps) {
    enter(phase)
    const verdict = await step(connection, bundle)
    notes.push(...verdict.notes)
    if (verdict.state !== 'done') return { ...stopped(verdict, phase), digest: bundle.digest, notes }
  }
  return { status: 'converged', phase: 'confirm', digest: bundle.digest, reason: difference, notes }
}

function stopped(
  { state, errors }: Verdict,
  phase: RunPhase,
): { status: Outcome['status']; phase: RunPhase; reason: string } {
  const status = state === 'refused' || state === 'rolled-back' ? state : 'unknown'
  return { status, phase, reason: errors.join('; ') || `${phase} failed without saying why` }
}

/** Up to and with staging nothing of a node is changed, whatever happens. */
function failure(error: unknown, phase: RunPhase): Finding {
  const finding = (status: Outcome['status'], reason: string): Finding => ({ status, phase, reason, notes: [] })
  if (error instanceof Unreachable) return finding('unreachable', error.message)
  if (error instanceof NotTrusted) return { ...finding('refused', error.message), next: error.next, distrust: true }
  if (error instanceof ConnectionLost || error instanceof Unintelligible) {
    return finding(lost(phase), error.message)
  }
  if (error instanceof Unfit || error instanceof NotProbed) return finding('refused', error.message)
  if (error instanceof Refusal) return { ...finding('refused', error.message), ...(error.next && { next: error.next }) }
  throw error
}

function lost(phase: RunPhase): Outcome['status'] {
  return phase === 'commit' || phase === 'confirm' ? 'unknown' : 'unreachable'
}
