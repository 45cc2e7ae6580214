/** The rendered files of a node as data: what they define, what they refer to, and for what. */

import type { Bundle } from '../../src/bundle/bundle.ts'

export interface Rule {
  readonly table: string
  readonly chain: string
  readonly line: string
  /** Absent for a rule that only counts. */
  readonly target: string | undefined
}

interface Chain {
  readonly table: string
  readonly name: string
}

interface SetUse {
  readonly set: string
  readonly negated: boolean
  readonly rule: Rule
}

export function textOf({ files }: Bundle, name: string): string {
  return files.find((file) => file.name === name)?.text ?? ''
}

export function rulesOf(text: string): readonly Rule[] {
  return tabled(text).flatMap(({ table, line }) => {
    const [, chain, rest = ''] = /^-A (\S+)(.*)$/.exec(line) ?? []
    if (chain === undefined) return []
    return [{ table, chain, line, target: / -[jg] (\S+)/.exec(rest)?.[1] }]
  })
}

export function chainsOf(text: string): readonly Chain[] {
  return tabled(text).flatMap(({ table, line }) => {
    const name = /^:(\S+)/.exec(line)?.[1]
    return name === undefined ? [] : [{ table, name }]
  })
}

export function createdSets(text: string): readonly string[] {
  return [...text.matchAll(/^create (\S+)/gm)].map(([, name = '']) => name)
}

export function filledSets(text: string): readonly string[] {
  return [...text.matchAll(/^add (\S+)/gm)].map(([, name = '']) => name)
}

export function setUses(rules: readonly Rule[]): readonly SetUse[] {
  return rules.flatMap((rule) =>
    [...rule.line.matchAll(/(! )?--match-set (\S+)/g)].map(([, not, set = '']) => ({
      set,
      negated: not !== undefined,
      rule,
    })),
  )
}

function tabled(text: string): readonly { readonly table: string; readonly line: string }[] {
  let table = ''
  return text.split('\n').map((line) => {
    table = /^\*(\S+)/.exec(line)?.[1] ?? table
    return { table, line }
  })
}
