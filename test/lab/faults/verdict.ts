// Whether a node came whole out of what happened to it, and whether what was said of it is true.

import type { Outcome } from '../../../src/run/outcome.ts'
import type { Dump } from '../dump.ts'

/** What a node holds of one side when nothing ever happened to it. */
export interface Whole {
  readonly digest: string
  readonly dump: Dump
}

/** What it says of itself: `edgepush status --live`. */
export interface Live {
  readonly digest?: string
  readonly held: boolean
  readonly pending?: { readonly run: string; readonly state: string }
}

/** A node after its push was disturbed and its window has ended, and again after the next push. */
export interface Seen {
  readonly outcome: Outcome | undefined
  readonly old: Whole
  readonly wanted: Whole
  /** The watch over its window was killed, too: only the next push can make it whole. */
  readonly unwatched: boolean
  readonly dump: Dump
  readonly live: Live | undefined
  readonly next: { readonly outcome: Outcome | undefined; readonly dump: Dump; readonly left: string }
  readonly foreign: { readonly before: string; readonly after: string }
}

type Held = 'old' | 'new' | 'between'

/** In sentences; none if all is well. */
export function wrongWith(seen: Seen): readonly string[] {
  const { outcome, old, wanted, next, foreign } = seen
  const held = heldOf(seen)
  // What nobody watched over may be new and not confirmed.
  const expected = held === 'new' && !seen.unwatched ? 'unchanged' : 'converged'
  return [
    ...(seen.unwatched ? [] : contradictions(seen, held)),
    ...(next.outcome?.status === expected ? [] : [`the next push: ${told(next.outcome)}`]),
    ...(same(next.dump, wanted.dump) ? [] : [`after the next push ${differences(next.dump, wanted.dump)}`]),
    ...(foreign.after === foreign.before ? [] : [`foreign: ${foreign.before}became ${foreign.after}`]),
    ...(next.left === '' ? [] : [`left behind: ${next.left}`]),
  ].map((what) => `${what} [${told(outcome)}; ${old.digest.slice(0, 6)} to ${wanted.digest.slice(0, 6)}]`)
}

function contradictions({ outcome, old, wanted, dump, live }: Seen, held: Held): readonly string[] {
  const may = outcome ? possible(outcome) : []
  const nearer = (may[0] === 'new' ? wanted : old).dump
  const wrong = may.includes(held) ? [] : [`holds ${held}: ${differences(dump, nearer)}`]
  const { digest } = held === 'new' ? wanted : old
  if (!live?.held || waits(outcome, live) || live.digest !== digest)
    wrong.push(`says of itself ${JSON.stringify(live)}`)
  return wrong
}

/** Of a commit that is cut off with its connection before anybody watches, it is said that it was begun; nothing comes of it. */
function waits(outcome: Outcome | undefined, { pending }: Live): boolean {
  return pending !== undefined && !(outcome?.status === 'unreachable' && pending.state === 'committing')
}

function heldOf({ dump, old, wanted }: Seen): Held {
  if (same(dump, old.dump)) return 'old'
  return same(dump, wanted.dump) ? 'new' : 'between'
}

/** What a node may hold when a push has said this of it, and its window has ended. */
function possible({ status, phase }: Outcome): readonly Held[] {
  switch (status) {
    case 'converged':
      return ['new']
    case 'unknown':
      // Nobody heard whether it was confirmed.
      return phase === 'confirm' ? ['old', 'new'] : []
    case 'refused':
    case 'unreachable':
    case 'rolled-back':
    case 'reverting':
      return ['old']
    default:
      return []
  }
}

export function same(one: Dump, other: Dump): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function told(outcome: Outcome | undefined): string {
  return outcome ? `${outcome.status} at ${outcome.phase}: ${outcome.reason}` : 'nothing was said of it'
}

/** What one has and the other lacks, and the other way round. */
export function differences(one: Dump, other: Dump): string {
  const only = (some = '', all = '', sign: string) =>
    some.split('\n').flatMap((line) => (all.split('\n').includes(line) ? [] : [sign + line]))
  const lines = Object.keys(one).flatMap((part) => [
    ...only(one[part], other[part], `${part} + `),
    ...only(other[part], one[part], `${part} - `),
  ])
  return lines.slice(0, 6).join(', ') || 'but for the order'
}
