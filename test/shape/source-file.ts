/**
 * TypeScript read just far enough to keep rules about it: what is code, what is a string, what is a comment, and what is
 * imported. There is no compiler to ask, so strings, comments and regular expressions are found as a reader finds them.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

export interface SourceFile {
  /** Below src/. */
  readonly path: string
  readonly text: string
}

interface Import {
  /** A path below src/, or the name of a package as written. */
  readonly from: string
  /** What stands between `import` and `from`. */
  readonly names: string
  /** Gone after compilation: `import type`, or nothing but `type` names. */
  readonly typesOnly: boolean
}

interface Parts {
  /** Comments are blanks, regular expressions too; a string is `'#3'`, which is its place in `strings`. */
  readonly code: string
  /** Without quotes; a template comes in as many pieces as its holes leave. */
  readonly strings: readonly string[]
}

const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|[\s\S]/y
const TEMPLATE = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/y
const REGEXP = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y

/** After these a slash divides; after anything else, and after these words, it begins a regular expression. */
const OPERAND = /[\w$)\]}'`]\s*$/
const WORD = /\b(?:return|typeof|case|in|of|throw|await|yield)\s*$/

const NAMES = String.raw`(?:type\s+)?(?:\*(?:\s*as\s+\w+)?|\{[^}]*\}|\w+(?:\s*,\s*\{[^}]*\})?)`
const STATEMENT = new RegExp(String.raw`(?:^|[\n;])\s*(?:import|export)\s*(${NAMES})\s*from\s*'#(\d+)'`, 'g')
const BARE = /(?:^|[\n;])\s*import\s*()'#(\d+)'/g
const CALL = /\bimport\s*\(\s*()'#(\d+)'/g

export function readSources(folder: string): readonly SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }))
}

export function partsOf(text: string): Parts {
  const strings: string[] = []
  /** For every open brace, whether it is a hole in a template. */
  const holes: boolean[] = []
  let code = ''
  let at = 0
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0] ?? ''
    at += found.length
    return found
  }
  const keep = (string: string): string => `'#${strings.push(string) - 1}'`
  const takeTemplate = (): string => {
    const piece = take(TEMPLATE)
    if (!piece.endsWith('${')) return keep(piece.slice(0, -1))
    holes.push(true)
    return `${keep(piece.slice(0, -2))}+(`
  }
  const takeToken = (): string => {
    const begins = text[at] === '/' && (!OPERAND.test(code) || WORD.test(code))
    if (begins && take(REGEXP) !== '') return ' '
    const token = take(TOKEN)
    if (/^\/[/*]/.test(token)) return ' '
    if (/^['"]./.test(token)) return keep(token.slice(1, -1))
    if (token === '`') return takeTemplate()
    if (token === '{') holes.push(false)
    if (token === '}' && holes.pop()) return `)+${takeTemplate()}`
    return token
  }
  while (at < text.length) code += takeToken()
  return { code, strings }
}

/** Statements and `import('...')`, those of types included. */
export function importsOf({ path, text }: SourceFile): readonly Import[] {
  const { code, strings } = partsOf(text)
  return [STATEMENT, BARE, CALL].flatMap((pattern) =>
    [...code.matchAll(pattern)].map(([, names = '', index]) => {
      return { from: resolve(path, strings[Number(index)] ?? ''), names, typesOnly: isTypesOnly(names) }
    }),
  )
}

function isTypesOnly(names: string): boolean {
  if (/^type\b/.test(names)) return true
  const listed =
    /^\{(.*)\}$/s
      .exec(names)?.[1]
      ?.split(',')
      .map((name) => name.trim()) ?? []
  return listed.length > 0 && listed.every((name) => name === '' || name.startsWith('type '))
}

function resolve(path: string, from: string): string {
  return from.startsWith('.') ? posix.join(dirname(path), from) : from
}
