/**
 * Words that begin with `@` and stand for names that are written elsewhere: `@file` in a file, `@failed` and `@run:ID` in
 * the record, of which this part knows only what it is told. A file of such a name is `@./failed`.
 */

import { join } from 'node:path'
import { resolvePath } from './login.ts'
import { readText } from './read-text.ts'

export interface Sources {
  /** Who names a file: a flag, or `file:line:column`. */
  readonly namedBy: string
  /** Where a relative path begins; empty for where we are. */
  readonly folder: string
  readonly history: History
}

/** What the record knows of runs; each is asked only when a word needs it. */
export interface History {
  /** From the oldest to the newest. */
  runs(): readonly string[]
  /** Undefined for one of which not even the beginning was written. */
  run(id: string): PastRun | undefined
}

export interface PastRun {
  readonly id: string
  readonly command: string
  /** Names of nodes, of which the inventory may have no longer all. */
  readonly nodes: readonly string[]
  /** Those of them that came to no good end. */
  readonly failed: readonly string[]
}

/** What a word means: names of nodes, or what keeps it from meaning any. */
export type Meaning = { readonly names: readonly string[] } | { readonly unmatched: readonly Unmatched[] }

/** A word that names nothing, without its sign. */
export interface Unmatched {
  readonly text: string
  /** `file:line` for a word of a file. */
  readonly where?: string
  /** Absent when there is just no such name. */
  readonly why?: string
  /** What could have been meant, where that is neither a node nor a group. */
  readonly known?: readonly string[]
}

export function readReference(text: string, sources: Sources, meaningOfName: (name: string) => Meaning): Meaning {
  if (text === '@failed') return failedOfLast(text, sources, meaningOfName)
  const [, id, failed] = /^@run:(.*?)(:failed)?$/s.exec(text) ?? []
  if (id !== undefined) return nodesOfRun(text, id, failed !== undefined, sources, meaningOfName)
  return linesOfFile(text, sources, meaningOfName)
}

function failedOfLast(text: string, { history }: Sources, meaningOfName: (name: string) => Meaning): Meaning {
  for (const id of history.runs().toReversed()) {
    const run = history.run(id)
    if (run) return nodesOf(text, run, 'failed', meaningOfName)
  }
  return nothing(text, 'the record has no run yet')
}

function nodesOfRun(
  text: string,
  id: string,
  failedOnly: boolean,
  { history }: Sources,
  meaningOfName: (name: string) => Meaning,
): Meaning {
  const known = history.runs()
  const run = known.includes(id) ? history.run(id) : undefined
  if (run) return nodesOf(text, run, failedOnly ? 'failed' : 'nodes', meaningOfName)
  return { unmatched: [{ text, why: `the record has no run "${id}"`, known: known.map((one) => `@run:${one}`) }] }
}

/** Nodes that have left the inventory since then can be served by nobody. */
function nodesOf(
  text: string,
  run: PastRun,
  which: 'nodes' | 'failed',
  meaningOfName: (name: string) => Meaning,
): Meaning {
  const about = `run ${run.id} (${run.command})`
  if (run[which].length === 0) return nothing(text, `no node failed in ${about}`)
  const names = run[which].filter((name) => 'names' in meaningOfName(name))
  return names.length > 0 ? { names } : nothing(text, `no node of ${about} is in the inventory any more`)
}

function linesOfFile(text: string, sources: Sources, meaningOfName: (name: string) => Meaning): Meaning {
  const { folder, namedBy } = sources
  const path = text.slice(1)
  const file = /^[~/]/.test(path) ? resolvePath(path, '') : join(folder, path)
  const lines = readText(file, namedBy)
    .split('\n')
    .map((line, index) => ({ name: line.trim(), where: `${file}:${index + 1}` }))
    .filter(({ name }) => name !== '' && !name.startsWith('#'))
  if (lines.length === 0) return nothing(text, `${file} has no names`)
  const meanings = lines.map(({ name, where }) => ({ where, meaning: meaningOfName(name) }))
  const unmatched = meanings.flatMap(({ where, meaning }) => {
    return 'unmatched' in meaning ? meaning.unmatched.map((word) => ({ ...word, where })) : []
  })
  if (unmatched.length > 0) return { unmatched }
  return { names: meanings.flatMap(({ meaning }) => ('names' in meaning ? meaning.names : [])) }
}

function nothing(text: string, why: string): Meaning {
  return { unmatched: [{ text, why }] }
}
