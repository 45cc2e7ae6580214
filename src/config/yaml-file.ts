/**
 * A YAML file as plain values that still knows where each of them stands.
 *
 * Invariants: the text is well-formed YAML 1.2 without duplicate keys, unknown tags or endless aliases; every key is
 * text; keys that start with `x-` are for the author (notes, anchors) and are in none of the answers, unless the file is
 * somebody else's, who does not know that.
 */

import { isAlias, isMap, isScalar, LineCounter, type Node, parseDocument, type Document as YamlDocument } from 'yaml'
import type { KeyPath, TextDefect } from './defect.ts'
import { type Aliases, resolveAliases } from './yaml-aliases.ts'
import { keyText, type Spot, spotFinder } from './yaml-spots.ts'

export interface YamlFile {
  readonly value: unknown
  /** In characters from the start; a map or list is found at its key, what is missing at its parent. */
  offsetOf(path: KeyPath): number
  offsetOfKey(path: KeyPath): number
  lineOf(path: KeyPath): number
  /** `file:line:column` */
  place(offset: number): string
  /** A scalar as it is written: `0755` stays `0755`, though its value is the number 755. */
  written(path: KeyPath): string
  /** In the order of the file, which an object does not keep for keys such as `10`. */
  keys(path: KeyPath): readonly string[]
  /** Without any, `value` is whole. */
  readonly defects: readonly TextDefect[]
}

/** High enough for an anchor used by every node of a large cloud, low enough to stop nested anchors from exploding. */
const MAX_ALIASES = 10_000

export function parseYaml(file: string, text: string, notes: 'dropped' | 'kept'): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true })
  const aliases = resolveAliases(document)
  const find = spotFinder(document.contents ?? undefined, aliases.targets)
  return {
    ...toPlain(document, aliases, [...findTextDefects(document, text), ...aliases.defects], notes),
    offsetOf: (path) => offsetOf(find(path)),
    offsetOfKey: (path) => offsetOfKey(find(path)),
    lineOf: (path) => lines.linePos(offsetOf(find(path))).line,
    place: (offset) => {
      const { line, col } = lines.linePos(offset)
      return `${file}:${line}:${col}`
    },
    written: (path) => {
      const { value } = find(path)
      return isScalar(value) ? (value.source ?? String(value.value)) : ''
    },
    keys: (path) => {
      const { value } = find(path)
      return isMap<Node>(value) ? value.items.map(({ key }) => keyText(key)).filter((key) => !isAuthors(key)) : []
    },
  }
}

function findTextDefects({ errors, warnings }: YamlDocument.Parsed, text: string): readonly TextDefect[] {
  return [...errors, ...warnings].map(({ code, message, pos: [offset] }) => ({
    offset,
    problem: inOurWords(code, text.slice(offset)) ?? message,
  }))
}

function inOurWords(code: string, rest: string): string | undefined {
  if (code === 'DUPLICATE_KEY') return `key ${/^[^\s:,}]+/.exec(rest)?.[0] ?? ''} stands twice in the same map`
  if (code === 'MULTIPLE_DOCS') return 'a second document starts here: one document per file'
  return undefined
}

function toPlain(
  document: YamlDocument.Parsed,
  { last }: Aliases,
  defects: readonly TextDefect[],
  notes: 'dropped' | 'kept',
): { readonly value: unknown; readonly defects: readonly TextDefect[] } {
  if (defects.length > 0) return { value: undefined, defects }
  try {
    return {
      value: document.toJS({ maxAliasCount: MAX_ALIASES, reviver: notes === 'dropped' ? dropAuthors : keep }),
      defects,
    }
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error
    return { value: undefined, defects: [{ offset: startOf(last), problem: 'aliases of aliases unfold to too much' }] }
  }
}

function dropAuthors(key: unknown, value: unknown): unknown {
  return isAuthors(String(key)) ? undefined : value
}

function keep(_key: unknown, value: unknown): unknown {
  return value
}

function isAuthors(key: string): boolean {
  return key.startsWith('x-')
}

function offsetOf(spot: Spot): number {
  const inPlace = isAlias(spot.node) || (isScalar(spot.node) && spot.node.source !== '')
  return inPlace ? startOf(spot.node) : offsetOfKey(spot)
}

function offsetOfKey({ key, node }: Spot): number {
  return startOf(key ?? node)
}

function startOf(node: Node | undefined): number {
  return node?.range?.[0] ?? 0
}
