/** What a node wrote down of its runs: a chain in which each line begins with a digest of itself and the digest before. */

import { createHash } from 'node:crypto'
import { ask, said } from './exchange.ts'
import type { Connection } from './transport.ts'

const TIMEOUT = 60_000
const FILE = '/var/lib/edgepush/journal'
/** Where the page was turned, the chain goes on. */
const SCRIPT = `tail -n 1 ${FILE}.1 2> /dev/null | sed 's/ .*//;s/^/before /'
[ ! -e ${FILE} ] || sed 's/^/line /' ${FILE}`

export interface Journal {
  readonly lines: number
  /** The number of the first line that is not what it was, or that follows one that is gone. */
  readonly broken: number | undefined
}

export async function readJournal(connection: Connection): Promise<Journal> {
  const answer = await ask(connection, SCRIPT, TIMEOUT)
  const lines = said(answer, 'line')
  return { lines: lines.length, broken: firstBroken(lines, said(answer, 'before')[0] ?? '') }
}

/** A line that a power cut left half written is marked by the next, and goes on with the digest that it has. */
function firstBroken(lines: readonly string[], before: string): number | undefined {
  let earlier = before
  for (const [index, line] of lines.entries()) {
    const [digest = '', ...words] = line.split(' ')
    const expected = createHash('sha256')
      .update(`${earlier} ${words.join(' ')}\n`)
      .digest('hex')
    if (digest !== expected && words.at(-1) !== '(torn)') return index + 1
    earlier = digest
  }
  return undefined
}
