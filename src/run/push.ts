import type { Bundle } from '../bundle/bundle.ts'
import { compare } from '../bundle/compare.ts'
import type { Templates } from '../bundle/templates.ts'
import { type Probed, probe } from '../node/probe.ts'
import { commit, confirm, stage, type Verdict } from '../node/protocol.ts'
import type { Connection } from '../node/transport.ts'
import type { RunPhase } from './outcome.ts'
import type { Finding, Serve } from './run-node.ts'

export interface Goal {
  /** What the node should hold, once we know what only it knows. Throws `Unfit` when it cannot be served. */
  bundleFor(probed: Probed): Bundle
  /** What the cloud calls the view. */
  readonly version: string | undefined
  readonly templates: Templates
}

/** Probe, render, and where the node does not hold the bundle already: stage, commit, confirm. */
export function pushing({ bundleFor, version, templates }: Goal): Serve {
  return async (connection, enter) => {
    enter('probe')
    const probed = await probe(connection, templates)
    enter('render')
    const bundle = bundleFor(probed)
    const difference = compare(bundle, probed.holding)
    if (difference !== 'none') return await bring(connection, bundle, version, difference, enter)

    const unchanged: Finding = { status: 'unchanged', phase: 'probe', digest: bundle.digest, notes: [] }
    if (version === undefined || probed.holding?.version === version) return unchanged
    // The cloud counted on without a change for this node: nothing is made, but its tools should see that it follows.
    // Not a phase of its own: a connection that is lost here leaves nothing open about what the node holds.
    const { notes } = await confirm(connection, bundle, version)
    return { ...unchanged, notes }
  }
}

/** The verbs in their order; the first that does not succeed decides. */
async function bring(
  connection: Connection,
  bundle: Bundle,
  version: string | undefined,
  reason: string,
  enter: (phase: RunPhase) => void,
): Promise<Finding> {
  return await inOrder(enter, bundle, reason, [
    ['stage', () => stage(connection, bundle)],
    ['commit', () => commit(connection, bundle)],
    // The barrier and the verification of a stage stand between these two, once there is a window to confirm in.
    ['confirm', () => confirm(connection, bundle, version)],
  ])
}

export type Step = readonly [RunPhase, () => Promise<Verdict>]

export async function inOrder(
  enter: (phase: RunPhase) => void,
  { digest }: Bundle,
  reason: string,
  steps: readonly Step[],
): Promise<Finding> {
  const notes: string[] = []
  let last: RunPhase = 'probe'
  for (const [phase, step] of steps) {
    enter(phase)
    last = phase
    const verdict = await step()
    notes.push(...verdict.notes)
    if (verdict.state !== 'done') return { ...failedAt(phase, verdict), digest, notes }
  }
  return { status: 'converged', phase: last, digest, reason, notes }
}

function failedAt(phase: RunPhase, { state, errors }: Verdict): Pick<Finding, 'phase' | 'reason' | 'status'> {
  const status = state === 'refused' || state === 'rolled-back' ? state : 'unknown'
  return { status, phase, reason: errors.join('; ') || `${phase} failed without saying why` }
}
