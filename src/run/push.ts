import type { Bundle } from '../bundle/bundle.ts'
import { compare } from '../bundle/compare.ts'
import type { Templates } from '../bundle/templates.ts'
import { type Probed, probe } from '../node/probe.ts'
import { noteVersion, type Terms } from '../node/protocol.ts'
import type { RunPhase } from './outcome.ts'
import type { Finding, Link, Serve } from './run-node.ts'
import { type Safety, transact } from './transaction.ts'

export interface Goal {
  /** What the node should hold, once we know what only it knows. Throws `Unfit` when it cannot be served. */
  bundleFor(probed: Probed): Bundle
  /** What the cloud calls the view. */
  readonly version: string | undefined
  readonly templates: Templates
  readonly safety: Safety
}

/** Probe, render, and where the node does not hold the bundle already: stage, commit, verify, confirm. */
export function pushing(goal: Goal): Serve {
  return async (link, enter) => {
    enter('probe')
    const probed = await probe(link.connection, goal.templates)
    enter('render')
    const bundle = goal.bundleFor(probed)
    const difference = compare(bundle, probed.holding)
    if (difference === 'none') return await leave(link, bundle, goal.version, probed)
    return await bring(link, enter, { goal, bundle, probed, reason: difference })
  }
}

/** The cloud may have counted on without a change for this node: nothing is made, but its tools should see that it follows. */
async function leave(link: Link, bundle: Bundle, version: string | undefined, { holding }: Probed): Promise<Finding> {
  const unchanged: Finding = { status: 'unchanged', phase: 'probe', digest: bundle.digest, notes: [] }
  if (version === undefined || holding?.version === version) return unchanged
  // Not a phase of its own: a connection that is lost here leaves nothing open about what the node holds.
  const { notes } = await noteVersion(link.connection, bundle, version)
  return { ...unchanged, notes }
}

interface Bringing {
  readonly goal: Pick<Goal, 'safety' | 'version'>
  readonly bundle: Bundle
  readonly probed: Probed
  readonly reason: string
}

export async function bring(link: Link, enter: (phase: RunPhase) => void, what: Bringing): Promise<Finding> {
  const { bundle, goal, reason, probed } = what
  const terms = termsOf(link, what)
  return await transact(link, enter, { ...goal.safety, bundle, terms, reason, probed, verb: 'commit' })
}

export function termsOf({ run }: Link, { goal: { safety, version }, probed }: Omit<Bringing, 'reason'>): Terms {
  return { run, epoch: probed.epoch + 1, window: safety.window, version }
}
