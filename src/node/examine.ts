/** What a node shows of what its mode depends on; one round trip, nothing written. */

import { ask, said } from './exchange.ts'
import type { Connection } from './transport.ts'

export interface Symptom {
  readonly about: string
  readonly text: string
}

const TIMEOUT = 60_000

/** The shell says `found ABOUT TEXT`, with these variables at hand. */
export async function examine(
  connection: Connection,
  shell: string,
  variables: Readonly<Record<string, string>>,
): Promise<readonly Symptom[]> {
  const settings = Object.entries(variables).map(([name, value]) => `${name}='${value.replaceAll("'", `'\\''`)}'`)
  const script = [...settings, 'found() { echo "found $*"; }', `look() {\n${shell}\n}`, 'look'].join('\n')
  return said(await ask(connection, script, TIMEOUT), 'found').map((text) => {
    const [about = '', ...words] = text.split(' ')
    return { about, text: words.join(' ') }
  })
}
