/** The ways a node changes hands: from eucanetd to us, back to it, or to nobody. */

import { probe } from '../node/probe.ts'
import { compare, forget, release, stage } from '../node/protocol.ts'
import { findingOf } from './finding.ts'
import { bring, type Goal, termsOf } from './push.ts'
import type { Finding, Serve } from './run-node.ts'
import { transact } from './transaction.ts'

/**
 * Shows what the node holds against what the view asks for. Where they agree, or `force` says that the view is right,
 * eucanetd ends, the bundle is committed (which writes nothing where they agree) and becomes current.
 */
export function adopting(goal: Goal, force: boolean): Serve {
  return async (link, enter) => {
    enter('probe')
    const probed = await probe(link.connection, goal.templates)
    const bundle = goal.bundleFor(probed)
    enter('stage')
    const staged = await stage(link.connection, bundle, probed.stored, 'adopting')
    if (staged.state !== 'done') return findingOf('stage', staged, { status: 'converged', digest: bundle.digest })

    enter('compare')
    const difference = (await compare(link.connection, bundle)).filter((line) => !isOurs(line))
    if (difference.length > 0 && !force) {
      const reason = 'it does not hold what the view asks for; eucanetd still runs, nothing is changed'
      return { status: 'refused', phase: 'compare', digest: bundle.digest, reason, next: FORCE, notes: [], difference }
    }
    const reason = difference.length > 0 ? 'adopted, and changed' : 'adopted as it was'
    const terms = termsOf(link, { goal, bundle, probed })
    const adopted = await transact(link, enter, {
      ...goal.safety,
      bundle,
      terms,
      reason,
      probed,
      verb: 'adopt',
    })
    return { ...adopted, notes: [...staged.notes, ...adopted.notes], difference }
  }
}

const FORCE = 'wait until eucanetd has converged, or make it what the view says: edgepush adopt --force difference'

/** What eucanetd never had cannot be missing. */
function isOurs(line: string): boolean {
  return /^(placeholder|persistence) /.test(line)
}

export function releasing({ templates }: Pick<Goal, 'templates'>): Serve {
  return async (link, enter): Promise<Finding> => {
    enter('probe')
    const { holding } = await probe(link.connection, templates)
    if (!holding) return { status: 'unchanged', phase: 'probe', reason: 'it is not ours', notes: [] }
    enter('release')
    const verdict = await release(link.connection)
    return findingOf('release', verdict, { status: 'released' })
  }
}

/** The bundle is the mode's empty one; afterwards nothing on the node remembers us. */
export function flushing(goal: Omit<Goal, 'version'>): Serve {
  return async (link, enter) => {
    enter('probe')
    const probed = await probe(link.connection, goal.templates)
    const bundle = goal.bundleFor(probed)
    const flushed = await bring(link, enter, {
      goal: { ...goal, version: undefined },
      bundle,
      probed,
      reason: 'flushed',
    })
    if (flushed.status !== 'converged') return flushed
    enter('forget')
    const forgotten = await forget(link.connection, bundle)
    const done = findingOf('forget', forgotten, { status: 'converged', digest: bundle.digest, reason: 'flushed' })
    return { ...done, notes: [...flushed.notes, ...done.notes] }
  }
}
