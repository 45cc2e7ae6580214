/**
 * The result of a run for a reader: of a few nodes a line for each, the odd ones explained; of more a line for all of which
 * the same is true, the odd ones first; and a sum.
 */

import { isGood, type Outcome, type Status } from '../run/outcome.ts'
import { about } from './about.ts'
import { commonText, foldLine, foldOutcomes } from './fold-outcomes.ts'
import { table } from './table.ts'
import type { Paint, Terminal } from './terminal.ts'
import { countsText, WORST_FIRST } from './worst-first.ts'

/** So many nodes have each their line. */
const FEW = 10

export function outcomesReport(
  outcomes: readonly Outcome[],
  { paint, quiet }: Pick<Terminal, 'paint' | 'quiet'>,
): string {
  const shown = quiet ? outcomes.filter((outcome) => !isGood(outcome)) : outcomes
  const text = shown.length > FEW ? folded(shown, paint) : eachAlone(shown, paint)
  return text + (quiet ? '' : `${sum(outcomes)}\n`)
}

function eachAlone(outcomes: readonly Outcome[], paint: Paint): string {
  const rows = table(outcomes.map((outcome) => row(outcome, paint)))
  const reasons = outcomes.map((outcome) => {
    const reason = isGood(outcome) || !outcome.reason ? '' : `${outcome.node}: ${outcome.reason}\n`
    return reason + explain([outcome], `${outcome.node}: `, paint)
  })
  return rows + reasons.join('')
}

/** Nodes that need somebody come first, and of one status those that are not as most are. */
function folded(outcomes: readonly Outcome[], paint: Paint): string {
  const folds = foldOutcomes(outcomes)
  const byStatus = WORST_FIRST.flatMap((status) => folds.filter(([first]) => first?.status === status))
  return byStatus.map((fold) => foldLine(fold, paint) + explain(fold, '  ', paint)).join('')
}

function row(outcome: Outcome, paint: Paint): readonly string[] {
  const { node, status, digest, phase, milliseconds } = outcome
  const colour = isGood(outcome) ? paint.good : paint.bad
  const detail = isGood(outcome) ? about([outcome]) : phase ? `at ${phase}` : ''
  const took = status === 'not-attempted' ? '' : `${(milliseconds / 1000).toFixed(1)} s`
  return [node, colour(status), paint.faint(digest?.slice(0, 12) ?? '-'), took, detail]
}

/** What else nodes of which all this is true have said; `before` stands before what is theirs. */
function explain(fold: readonly Outcome[], before: string, paint: Paint): string {
  const [first] = fold
  if (!first) return ''
  const notes = first.notes.filter((line) => line !== '').map((line) => `${before}${commonText(line, fold)}\n`)
  const difference = differenceText(first.difference ?? [], before, paint)
  return notes.join('') + difference + (first.next ? paint.strong(`  ${first.next}\n`) : '')
}

/** `-` is what the node holds, `+` what the view asks for. */
function differenceText(difference: readonly string[], before: string, paint: Paint): string {
  if (difference.length === 0) return ''
  const lines = difference.map((line) => {
    const change = line.slice(line.indexOf(' ') + 1)
    return `  ${change.startsWith('+') ? paint.good(line) : change.startsWith('-') ? paint.bad(line) : line}\n`
  })
  return `${before}what it holds (-) and what the view asks for (+), by artifact:\n${lines.join('')}`
}

function sum(outcomes: readonly Outcome[]): string {
  const counts = new Map<Status, number>()
  for (const { status } of outcomes) counts.set(status, (counts.get(status) ?? 0) + 1)
  return `${outcomes.length} ${outcomes.length === 1 ? 'node' : 'nodes'}: ${countsText(counts)}`
}
