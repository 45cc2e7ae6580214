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
  path: 'an elastic address that is ours, or that of a node or a jump host',
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

/** What speaks against what a run is about to do, of which it hears node by node. */
export interface Doubting {
  expect(prospect: Prospect): void
  doubts(): readonly Doubt[]
}

/** In a cloud of so many nodes; what is forced is not doubted. Counted as it is heard: it is asked for each of thousands. */
export function doubting(nodes: number, limits: Limits, forced: readonly string[]): Doubting {
  let changed = 0
  const shrunk: string[] = []
  return {
    expect(prospect) {
      if (isChange(prospect)) changed += 1
      if (shrinks(prospect, limits.shrink)) shrunk.push(`${prospect.node} from ${prospect.before} to ${prospect.after}`)
    },
    doubts() {
      const doubts = [...doubtChanged(changed, nodes, limits.changed), ...doubtShrunk(shrunk, limits.shrink)]
      return doubts.filter(({ guard }) => guard !== undefined && !forced.includes(guard))
    },
  }
}

/** Nodes that never had a bundle are not changed but begun. */
function isChange({ before, isAnother }: Prospect): boolean {
  return before !== undefined && isAnother
}

/** Too many nodes at once: an innocent change of a view seldom touches most of a cloud. One is as much as anybody can mean. */
function doubtChanged(changed: number, nodes: number, most: number | undefined): readonly Doubt[] {
  if (most === undefined || changed <= 1 || changed <= (nodes * most) / 100) return []
  return [{ guard: 'changed', saw: `${changed} of ${nodes} nodes would change, which is more than ${most}%` }]
}

/** A view that has lost something makes bundles smaller. */
function shrinks({ before = 0, after }: Prospect, most: number | undefined): boolean {
  return most !== undefined && before > 0 && (before - after) * 100 > before * most
}

function doubtShrunk(shrunk: readonly string[], most: number | undefined): readonly Doubt[] {
  if (shrunk.length === 0) return []
  const shown = shrunk.slice(0, MOST_SHOWN)
  const more = shrunk.length > shown.length ? ` and ${shrunk.length - shown.length} more` : ''
  return [{ guard: 'shrink', saw: `bundles would shrink by more than ${most}%: ${shown.join(', ')}${more} entries` }]
}

const MOST_SHOWN = 10
