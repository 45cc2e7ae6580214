/**
 * What a run is not done for, unless somebody says that it is meant.
 *
 * Invariant: a guard says what it saw, decides before any node is changed, and is overridden by its own name alone. To
 * force one that has nothing to say is no mistake: a script may name what it knows of.
 */

import type { Bundle } from '../bundle/bundle.ts'
import { countEntries } from '../bundle/entries.ts'
import { EXIT, Refusal } from '../error.ts'
import type { Holding } from '../node/probe.ts'

/** About a view, before any node is asked; each with what it is for. */
export const VIEW_GUARDS = {
  age: 'a view older than max_age',
  mode: "a view of another mode than the nodes' last",
  nodes: 'a node that only the view or only the inventory has',
  path: 'an elastic address that is ours or that of a node',
} as const

/** About what each node would be made to hold, when that is known. */
export const BUNDLE_GUARDS = {
  changed: 'a change of more nodes than the playbook says',
  shrink: 'a bundle that loses more than the playbook says',
} as const

type Guard = keyof typeof VIEW_GUARDS | keyof typeof BUNDLE_GUARDS

export interface Doubt {
  /** Absent for what is only worth a warning. */
  readonly guard: Guard | undefined
  readonly saw: string
  /** What could be said once instead of forcing it each time. */
  readonly instead?: string
}

export function refuseDoubts(doubts: readonly Doubt[], forced: readonly string[]): void {
  const standing = doubts.filter(({ guard }) => guard !== undefined && !forced.includes(guard))
  if (standing.length === 0) return
  const lines = standing.map(({ guard, saw }) => `guard ${guard}: ${saw}`)
  const words = [...new Set(standing.map(({ guard }) => `--force ${guard}`))].join(' ')
  const instead = [...new Set(standing.flatMap((doubt) => doubt.instead ?? []))]
  throw new Refusal(
    EXIT.guarded,
    `no node is touched\n${lines.join('\n')}`,
    [`if it is meant so: ${words}`, ...instead].join('; or '),
  )
}

/** What a push would do to a node that it has asked. */
export interface Prospect {
  readonly node: string
  /** Entries of the bundle that it confirmed last; undefined where there never was one. */
  readonly before: number | undefined
  /** Entries of the bundle that it is to hold. */
  readonly after: number
  /** It has confirmed another bundle than that. To repair one is no change. */
  readonly isAnother: boolean
}

export function prospectOf({ node, digest, files }: Bundle, holding: Pick<Holding, 'digest' | 'entries'> | undefined) {
  return { node, before: holding?.entries, after: countEntries(files), isAnother: holding?.digest !== digest }
}

/** In percent, where the playbook says them. */
export interface Limits {
  readonly changed: number | undefined
  readonly shrink: number | undefined
}

/** Of a run over so many nodes; what is forced is not doubted. */
export function doubtProspects(
  prospects: readonly Prospect[],
  nodes: number,
  { changed, shrink }: Limits,
  forced: readonly string[],
): readonly Doubt[] {
  const doubts = [...doubtChanged(prospects, { nodes, most: changed }), ...doubtShrink(prospects, shrink)]
  return doubts.filter(({ guard }) => guard !== undefined && !forced.includes(guard))
}

/**
 * Too many nodes at once get another bundle: an innocent change of a view seldom touches most of a cloud. Nodes that never
 * had a bundle are not changed but begun; one node is as much as anybody can mean.
 */
function doubtChanged(
  prospects: readonly Prospect[],
  { nodes, most }: { readonly nodes: number; readonly most: number | undefined },
): readonly Doubt[] {
  const changed = prospects.filter(({ before, isAnother }) => before !== undefined && isAnother)
  if (most === undefined || changed.length <= 1 || changed.length <= (nodes * most) / 100) return []
  const saw = `${changed.length} of ${nodes} nodes would change, which is more than ${most}%`
  return [{ guard: 'changed', saw }]
}

/** A view that has lost something makes bundles smaller: each node that would lose more than this share is told. */
function doubtShrink(prospects: readonly Prospect[], most: number | undefined): readonly Doubt[] {
  if (most === undefined) return []
  const shrunk = prospects.flatMap(({ node, before = 0, after }) => {
    return before > 0 && (before - after) * 100 > before * most ? [`${node} from ${before} to ${after}`] : []
  })
  if (shrunk.length === 0) return []
  const shown = shrunk.slice(0, MOST_SHOWN)
  const more = shrunk.length > shown.length ? ` and ${shrunk.length - shown.length} more` : ''
  return [{ guard: 'shrink', saw: `bundles would shrink by more than ${most}%: ${shown.join(', ')}${more} entries` }]
}

const MOST_SHOWN = 10
