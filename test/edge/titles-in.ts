// The tests of a file, for documents that name them.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

/** The first argument of it(...), test(...) and it.each(...)(...), as it is written. */
export function titlesIn(file: string): readonly string[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  const calls = /(?:\b(?:it|test)|\))\(\s*(['"])((?:\\.|(?!\1).)*)\1,/g
  return [...text.matchAll(calls)].map(([, , title = '']) => title)
}
