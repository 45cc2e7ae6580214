/**
 * The words by which people name nodes, as in Ansible's `--limit`: separated by `,` or `:`; a node, a group, `all`, or a
 * pattern over both; `@file`, a file with a name on each line; `@failed` and `@run:ID`, of which the record knows; after
 * `&` what the others must also be, after `!` what they must not be.
 *
 * As in Ansible the order of the words does not matter, and words with `&` or `!` alone narrow `all`. Unlike there a
 * number in brackets is part of a name and never a place in a list, which would mean another node after the next change
 * of the inventory. Invariant: each name is looked at once for each pattern, and for no word that is a plain name.
 */

import type { Inventory } from './inventory.ts'
import { isPattern, readPattern } from './pattern.ts'
import { type Meaning, readReference, type Sources, type Unmatched } from './references.ts'
import { type SignedText, splitWords } from './split-words.ts'

export interface Match {
  /** Names of nodes. */
  readonly names: ReadonlySet<string>
  readonly unmatched: readonly Unmatched[]
}

interface Word extends SignedText {
  readonly meaning: Meaning
}

/** What a plain name means: nodes, groups and `all`. */
type Names = ReadonlyMap<string, readonly string[]>

export function matchWords(inventory: Inventory, texts: readonly string[], sources: Sources): Match {
  const all = inventory.nodes.map(({ name }) => name)
  const names: Names = new Map([
    ...inventory.groups.map((group) => [group.name, group.nodes] as const),
    ...all.map((name) => [name, [name]] as const),
    ['all', all] as const,
  ])
  const words = texts
    .flatMap(splitWords)
    .map((word): Word => ({ ...word, meaning: meaningOf(word.text, names, sources) }))
  const namesAfter = (sign: Word['sign']) =>
    words.filter((word) => word.sign === sign).map(({ meaning }) => ('names' in meaning ? meaning.names : []))
  const plain = namesAfter('')
  const named = plain.length === 0 ? all : inOrder(all, plain.flat())
  const refused = new Set(namesAfter('!').flat())
  const kept = namesAfter('&').reduce(inOrder, named)
  return {
    names: new Set(kept.filter((name) => !refused.has(name))),
    unmatched: words.flatMap(({ meaning }) => ('unmatched' in meaning ? meaning.unmatched : [])),
  }
}

function inOrder(all: readonly string[], some: readonly string[]): readonly string[] {
  const wanted = new Set(some)
  return all.filter((name) => wanted.has(name))
}

function meaningOf(text: string, names: Names, sources: Sources): Meaning {
  if (text.startsWith('@')) return readReference(text, sources, (name) => meaningOfName(name, names))
  return meaningOfName(text, names)
}

function meaningOfName(text: string, names: Names): Meaning {
  const known = names.get(text)
  if (known) return { names: known }
  if (!isPattern(text)) return { unmatched: [{ text }] }
  const pattern = readPattern(text)
  if ('wrong' in pattern) return { unmatched: [{ text, why: pattern.wrong }] }
  const found = [...names].flatMap(([name, nodes]) => (name !== 'all' && pattern.matches(name) ? nodes : []))
  return found.length === 0 ? { unmatched: [{ text }] } : { names: found }
}
