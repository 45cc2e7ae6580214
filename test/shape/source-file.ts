/**
 * TypeScript read just far enough to keep rules about it: what is code, what is a string, what is a comment, and what is
 * imported. There is no compiler to ask, so a string, a comment or a regular expression is found as a reader finds it.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

export interface SourceFile {
  /** Below src/. */
  readonly path: string
  readonly text: string
}

export interface Import {
  /** A path below src/, or the name of a package as written. */
  readonly from: string
  /** What stands between `import` and `from`. */
  readonly names: string
  /** Gone after compilation: `import type`, or nothing but `type` names. */
  readonly typesOnly: boolean
}

interface Parts {
  /** Comments are gone, strings and regular expressions are empty. */
  readonly code: string
  /** Their contents, in order; a template is the text between its holes. */
  readonly strings: readonly string[]
}

const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{)|[{}]|[\s\S]/g

/** What can stand before a division; before a regular expression it cannot. */
const OPERAND = /[\w$)\]}]\s*$/

const KEYWORD = /\b(?:return|typeof|case|in|of|throw|await|yield)\s*$/

const REGEXP = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y

const TEMPLATE_REST = /(?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/y

export function readSources(folder: string): readonly SourceFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }))
}

export function partsOf(text: string): Parts {
  const strings: string[] = []
  /** For every open brace, whether it is the hole of a template. */
  const braces: boolean[] = []
  let code = ''
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  const template = (body: string): void => {
    if (body.endsWith('${')) braces.push(true)
    strings.push(body.replace(/(?:`|\$\{)$/, ''))
    code += body.endsWith('${') ? '(' : '``'
  }

  while (at < text.length) {
    if (text[at] === '/' && (!OPERAND.test(code) || KEYWORD.test(code)) && take(REGEXP) !== undefined) code += '/./'
    else {
      const token = take(TOKEN) ?? ''
      if (/^\/[/*]/.test(token)) code += ' '
      else if (/^['"]./s.test(token)) {
        strings.push(token.slice(1, -1))
        code += "''"
      } else if (/^`./s.test(token)) template(token.slice(1))
      else if (token === '}' && braces.pop()) {
        code += ')'
        template(take(TEMPLATE_REST) ?? '')
      } else {
        if (token === '{') braces.push(false)
        code += token
      }
    }
  }
  return { code, strings }
}

/** Statements and `import('...')`, types included. */
export function importsOf({ path, text }: SourceFile): readonly Import[] {
  const { code, strings } = partsOf(text)
  const pieces = code.split("''")
  return pieces.slice(0, -1).flatMap((before, index) => {
    const [, statement, names] =
      /(?:^|[\n;])\s*(import|export)\s+([^'"`;]*?)\s*from\s*$/.exec(before) ??
      /(?:^|[\n;])\s*(import)\s*()$/.exec(before) ??
      /\b(import)\s*\(\s*()$/.exec(before) ??
      []
    if (statement === undefined || names === undefined) return []
    return [{ from: resolve(path, strings[stringIndex(pieces, index)] ?? ''), names, typesOnly: isTypesOnly(names) }]
  })
}

/** Templates are strings, too: which of all strings is the one after this piece. */
function stringIndex(pieces: readonly string[], index: number): number {
  const templates = pieces.slice(0, index + 1).join('').match(/``|`\(/g) ?? []
  return index + templates.length
}

function isTypesOnly(names: string): boolean {
  if (/^type\b/.test(names)) return true
  const listed = /^\{(.*)\}$/s.exec(names)?.[1]?.split(',').map((name) => name.trim()) ?? []
  return listed.length > 0 && listed.every((name) => name === '' || name.startsWith('type '))
}

function resolve(path: string, from: string): string {
  return from.startsWith('.') ? posix.join(dirname(path), from) : from
}
