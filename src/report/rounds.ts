/** A watch in words: a line for a round, and a line that stands while nothing happens. */

import type { ViewStamp } from '../run/event.ts'
import { isGood, type Outcome, type Status } from '../run/outcome.ts'
import { commonText, foldLine, foldOutcomes } from './fold-outcomes.ts'
import type { Paint } from './terminal.ts'
import { countsText } from './worst-first.ts'

interface Told {
  readonly view: (ViewStamp & { readonly modified: Date | undefined }) | undefined
  readonly outcomes: readonly Outcome[]
  /** Why nobody was asked. */
  readonly refusal: { readonly message: string; readonly next: string | undefined } | undefined
  readonly nodes: number
  readonly milliseconds: number
}

/** Nodes that came to no good end, or had something to say, follow on lines of their own. */
export function roundText({ view, outcomes, refusal, nodes, milliseconds }: Told, paint: Paint): string {
  if (refusal) return `${refusal.message}\n${refusal.next ? `  ${refusal.next}\n` : ''}`
  const asked = `${outcomes.length} of ${nodes} ${nodes === 1 ? 'node' : 'nodes'} asked`
  const counts = outcomes.length === 0 ? '' : `: ${countsText(countsOf(outcomes))}`
  const odd = outcomes.filter((outcome) => !isGood(outcome) || outcome.notes.length > 0)
  const folds = foldOutcomes(odd).map((fold) => `  ${foldLine(fold, paint)}${furtherText(fold)}`)
  return `${viewText(view)}: ${asked}${counts} (${(milliseconds / 1000).toFixed(1)} s)\n${folds.join('')}`
}

function furtherText(fold: readonly Outcome[]): string {
  const [first] = fold
  if (!first) return ''
  const notes = first.notes.filter((note) => note !== '').map((note) => commonText(note, fold))
  return [...notes, ...(first.next ? [first.next] : [])].map((line) => `    ${line}\n`).join('')
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
