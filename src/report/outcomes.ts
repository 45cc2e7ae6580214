/** The result of a run for a reader: a line for each node, the odd ones explained, and a sum. */

import { isGood, type Outcome, type Status } from '../run/outcome.ts'
import { table } from './table.ts'
import type { Paint, Terminal } from './terminal.ts'

const ORDER: readonly Status[] = [
  'unknown',
  'reverting',
  'rolled-back',
  'refused',
  'unreachable',
  'not-attempted',
  'awaiting',
  'converged',
  'released',
  'unchanged',
]

export function outcomesReport(outcomes: readonly Outcome[], { paint, quiet }: Terminal): string {
  const shown = quiet ? outcomes.filter((outcome) => !isGood(outcome)) : outcomes
  const rows = table(shown.map((outcome) => row(outcome, paint)))
  const odd = shown.filter(
    (outcome) => !isGood(outcome) || outcome.next || outcome.notes.length > 0 || (outcome.difference ?? []).length > 0,
  )
  return rows + odd.map((outcome) => explain(outcome, paint)).join('') + (quiet ? '' : `${sum(outcomes)}\n`)
}

function row(outcome: Outcome, paint: Paint): readonly string[] {
  const { node, status, digest, reason, phase, milliseconds } = outcome
  const colour = isGood(outcome) ? paint.good : paint.bad
  const about = isGood(outcome) ? (reason ?? '') : phase ? `at ${phase}` : ''
  const took = status === 'not-attempted' ? '' : `${(milliseconds / 1000).toFixed(1)} s`
  return [node, colour(status), paint.faint(digest?.slice(0, 12) ?? '-'), took, about]
}

function explain(outcome: Outcome, paint: Paint): string {
  const reason = isGood(outcome) ? [] : [outcome.reason ?? '']
  const lines = [...reason, ...outcome.notes].filter((line) => line !== '').map((line) => `${outcome.node}: ${line}\n`)
  return lines.join('') + differenceText(outcome, paint) + (outcome.next ? paint.strong(`  ${outcome.next}\n`) : '')
}

/** `-` is what the node holds, `+` what the view asks for. */
function differenceText({ node, difference = [] }: Outcome, paint: Paint): string {
  if (difference.length === 0) return ''
  const lines = difference.map((line) => {
    const change = line.slice(line.indexOf(' ') + 1)
    return `  ${change.startsWith('+') ? paint.good(line) : change.startsWith('-') ? paint.bad(line) : line}\n`
  })
  return `${node}: what it holds (-) and what the view asks for (+), by artifact:\n${lines.join('')}`
}

function sum(outcomes: readonly Outcome[]): string {
  const counts = ORDER.map(
    (status) => [status, outcomes.filter((outcome) => outcome.status === status).length] as const,
  )
  const parts = counts.filter(([, count]) => count > 0).map(([status, count]) => `${count} ${status}`)
  return `${outcomes.length} ${outcomes.length === 1 ? 'node' : 'nodes'}: ${parts.join(', ')}`
}
