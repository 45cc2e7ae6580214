/** A watch in words: a line for a round, and a line that stands while nothing happens. */

import type { ViewStamp } from '../run/event.ts'
import { isGood, type Outcome, type Status } from '../run/outcome.ts'
import { foldNames } from './fold-names.ts'
import { countsText } from './worst-first.ts'

interface Told {
  readonly view: (ViewStamp & { readonly modified: Date | undefined }) | undefined
  readonly outcomes: readonly Outcome[]
  /** Why nobody was asked. */
  readonly refusal: { readonly message: string; readonly next: string | undefined } | undefined
  readonly nodes: number
  readonly milliseconds: number
}

/** Ends without a newline; those that came to no good end have each a line more. */
export function roundText({ view, outcomes, refusal, nodes, milliseconds }: Told): string {
  if (refusal) return [refusal.message, ...(refusal.next ? [`  ${refusal.next}`] : [])].join('\n')
  const asked = `${outcomes.length} of ${nodes} ${nodes === 1 ? 'node' : 'nodes'} asked`
  const counts = outcomes.length === 0 ? '' : `: ${countsText(countsOf(outcomes))}`
  const bad = outcomes.filter((outcome) => !isGood(outcome))
  return [
    `${viewText(view)}: ${asked}${counts} (${(milliseconds / 1000).toFixed(1)} s)`,
    ...folded(bad).map((line) => `  ${line}`),
  ].join('\n')
}

/** Nodes with one reason share a line. */
function folded(bad: readonly Outcome[]): readonly string[] {
  const reasons = new Map<string, string[]>()
  for (const { node, status, phase, reason, next } of bad) {
    const what = `${status}${phase ? ` at ${phase}` : ''}${reason ? `: ${reason}` : ''}${next ? ` (${next})` : ''}`
    reasons.set(what, [...(reasons.get(what) ?? []), node])
  }
  return [...reasons].map(([what, names]) => `${foldNames(names).join(',')}: ${what}`)
}

function viewText(view: Told['view']): string {
  if (!view) return 'no view'
  const name = (view.version ?? view.digest).slice(0, 8)
  return `view ${name}${view.modified ? ` of ${view.modified.toISOString().slice(11, 19)}Z` : ''}`
}

export function countsOf(outcomes: Iterable<{ readonly status: Status }>): ReadonlyMap<Status, number> {
  const counts = new Map<Status, number>()
  for (const { status } of outcomes) counts.set(status, (counts.get(status) ?? 0) + 1)
  return counts
}
