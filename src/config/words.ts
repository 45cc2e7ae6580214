/**
 * The words by which people name nodes, a subset of Ansible's: separated by `,` or `:`; a node, a group, `all`, a glob
 * of `*`, `?` and `[...]` over both; after `&` what the others must also be, after `!` what they must not be.
 *
 * As in Ansible the order of the words does not matter, and words with `&` or `!` alone narrow `all`.
 */

import type { Inventory } from './inventory.ts'

export interface Match {
  /** Names of nodes. */
  readonly names: ReadonlySet<string>
  /** Words that name nothing, without their sign. */
  readonly unmatched: readonly string[]
}

interface Word {
  readonly sign: '' | '&' | '!'
  readonly text: string
  /** Absent when it names nothing. */
  readonly names: ReadonlySet<string> | undefined
}

export function matchWords(inventory: Inventory, texts: readonly string[]): Match {
  const words = texts.flatMap((text) => text.split(/[,:]/)).map((text) => toWord(inventory, text.trim()))
  const plain = words.filter(({ sign }) => sign === '')
  const isNamed = (name: string) => plain.length === 0 || plain.some((word) => word.names?.has(name))
  const isKept = (name: string) =>
    words.every(({ sign, names }) => sign === '' || (names?.has(name) ?? false) === (sign === '&'))

  const all = inventory.nodes.map(({ name }) => name)
  return {
    names: new Set(all.filter((name) => isNamed(name) && isKept(name))),
    unmatched: words.filter(({ names }) => !names).map(({ text }) => text),
  }
}

function toWord(inventory: Inventory, written: string): Word {
  const [, sign, text] = /^([&!]?)\s*(.*)$/s.exec(written) ?? []
  return { sign: (sign ?? '') as Word['sign'], text: text ?? '', names: namesOf(inventory, text ?? '') }
}

function namesOf({ nodes, groups }: Inventory, text: string): ReadonlySet<string> | undefined {
  if (text === 'all') return new Set(nodes.map(({ name }) => name))
  const glob = toRegExp(text)
  if (!glob) return undefined
  const names = [
    ...nodes.map(({ name }) => name).filter((name) => glob.test(name)),
    ...groups.filter(({ name }) => glob.test(name)).flatMap((group) => group.nodes),
  ]
  return names.length === 0 ? undefined : new Set(names)
}

/** Undefined for a range that runs backwards, such as `[9-1]`. */
function toRegExp(glob: string): RegExp | undefined {
  const parts = glob.match(/\[!?[^\]]+\]|\*+|./gs) ?? []
  const ranges = parts.flatMap((part) => [...part.slice(1).matchAll(/(.)-(.)/gs)])
  const backwards = ranges.some(([, from = '', to = '']) => from > to)
  return backwards ? undefined : new RegExp(`^${parts.map(toSource).join('')}$`, 's')
}

function toSource(part: string): string {
  if (part.startsWith('*')) return '.*'
  if (part === '?') return '.'
  const [, not, members] = /^\[(!?)([^\]]+)\]$/s.exec(part) ?? []
  if (members === undefined) return part.replace(/[\\^$.|?*+()[\]{}]/, '\\$&')
  return `[${not ? '^' : ''}${members.replace(/[\\^[\]]/g, '\\$&')}]`
}
