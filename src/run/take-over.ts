/** The ways a node changes hands: from eucanetd to us, back to it, or to nobody. */

import { probe } from '../node/probe.ts'
import { adopt, commit, compare, confirm, forget, release, stage } from '../node/protocol.ts'
import { type Goal, inOrder } from './push.ts'
import type { Finding, Serve } from './run-node.ts'

/**
 * Shows what the node holds against what the view asks for. Where they agree, or `force` says that the view is right,
 * eucanetd ends, the bundle is committed (which writes nothing where they agree) and becomes current.
 */
export function adopting({ bundleFor, version, templates }: Goal, force: boolean): Serve {
  return async (connection, enter) => {
    enter('probe')
    const bundle = bundleFor(await probe(connection, templates))
    const staged = await inOrder(enter, bundle, '', [['stage', () => stage(connection, bundle, 'adopting')]])
    if (staged.status !== 'converged') return staged

    enter('compare')
    const difference = (await compare(connection, bundle)).filter((line) => !isOurs(line))
    if (difference.length > 0 && !force) {
      const reason = 'it does not hold what the view asks for; eucanetd still runs, nothing is changed'
      return { status: 'refused', phase: 'compare', digest: bundle.digest, reason, next: FORCE, notes: [], difference }
    }
    const adopted = await inOrder(enter, bundle, difference.length > 0 ? 'adopted, and changed' : 'adopted as it was', [
      ['adopt', () => adopt(connection, bundle)],
      ['confirm', () => confirm(connection, bundle, version)],
    ])
    return { ...adopted, difference }
  }
}

const FORCE = 'wait until eucanetd has converged, or make it what the view says: edgepush adopt --force'

/** What eucanetd never had cannot be missing. */
function isOurs(line: string): boolean {
  return line.startsWith('placeholder ')
}

export function releasing({ templates }: Pick<Goal, 'templates'>): Serve {
  return async (connection, enter): Promise<Finding> => {
    enter('probe')
    const { holding } = await probe(connection, templates)
    if (!holding) return { status: 'unchanged', phase: 'probe', reason: 'it is not ours', notes: [] }
    enter('release')
    const { state, errors, notes } = await release(connection)
    if (state === 'done') return { status: 'released', phase: 'release', notes }
    return { status: state === 'refused' ? 'refused' : 'unknown', phase: 'release', reason: errors.join('; '), notes }
  }
}

/** The bundle is the mode's empty one; afterwards nothing on the node remembers us. */
export function flushing({ bundleFor, templates }: Pick<Goal, 'bundleFor' | 'templates'>): Serve {
  return async (connection, enter) => {
    enter('probe')
    const bundle = bundleFor(await probe(connection, templates))
    return await inOrder(enter, bundle, 'flushed', [
      ['stage', () => stage(connection, bundle)],
      ['commit', () => commit(connection, bundle)],
      ['forget', () => forget(connection, bundle)],
    ])
  }
}
