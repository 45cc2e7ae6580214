/**
 * What became of many nodes, told once for all of which it is true: the odd ones first, each reason of a failure once,
 * with every node that has it.
 */

import { isGood, type Outcome } from '../run/outcome.ts'
import { about, changesText } from './about.ts'
import { foldNames } from './fold-names.ts'
import type { Paint } from './terminal.ts'

type Fold = readonly Outcome[]

/** Nodes that differ only in what changed on them are told apart as long as that makes no more lines than this. */
const MOST_KINDS = 4

/** Names of nodes that are well need not all be read; of the others none is left out. */
const MOST_WORDS = 20

/** The smallest first. */
export function foldOutcomes(outcomes: readonly Outcome[]): readonly Fold[] {
  return grouped(outcomes, whatIsTold)
    .flatMap((fold) => {
      const kinds = grouped(fold, ({ changes = [] }) => changesText([changes]))
      return kinds.length > MOST_KINDS ? [fold] : kinds
    })
    .toSorted((a, b) => a.length - b.length)
}

export function foldLine(fold: Fold, paint: Paint): string {
  const [first] = fold
  if (!first) return ''
  const { status, phase } = first
  const good = isGood(first)
  const words = foldNames(fold.map(({ node }) => node))
  const shown = good ? words.slice(0, MOST_WORDS) : words
  const more = words.length > shown.length ? ` and ${words.length - shown.length} more` : ''
  const where = good || !phase ? '' : ` at ${phase}`
  const why = good ? about(fold) : reasonOf(fold)
  const told = `${(good ? paint.good : paint.bad)(status)}${where}${why ? `: ${why}` : ''}`
  return `${shown.join(',')}${more} ${told}${paint.faint(took(fold))}\n`
}

/** What several nodes said in the same words, but for their names. */
export function commonText(text: string, fold: Fold): string {
  const [first] = fold
  return first && fold.length > 1 ? nameless(text, first.node) : text
}

function reasonOf(fold: Fold): string {
  return commonText(fold[0]?.reason ?? '', fold)
}

function took(fold: Fold): string {
  if (fold[0]?.status === 'not-attempted') return ''
  const seconds = fold.map(({ milliseconds }) => milliseconds / 1_000)
  const [least, most] = [Math.min(...seconds).toFixed(1), Math.max(...seconds).toFixed(1)]
  return ` (${least === most ? most : `${least}-${most}`} s)`
}

function whatIsTold(outcome: Outcome): string {
  const { node, status, phase, reason = '', next, notes, difference } = outcome
  const said = [reason, ...notes].map((text) => nameless(text, node))
  return JSON.stringify([status, isGood(outcome) ? '' : phase, said, next, difference])
}

/** Also without the address that stands behind the name. */
function nameless(text: string, node: string): string {
  const name = node.replaceAll('.', '\\.')
  return text.replace(new RegExp(`(?<![\\w.-])${name}(?![\\w-])(?: \\([^ ()]*:\\d+\\))?`, 'g'), 'it')
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return [...groups.values()]
}
