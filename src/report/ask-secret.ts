/** A question whose answer is not shown, for somebody at a terminal. */

import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** Undefined when there is no answer: ^C, which `interrupt` is then told, or ^D. */
export async function askSecret(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
  signal: AbortSignal,
  interrupt: () => void,
): Promise<string | undefined> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: nowhere, terminal: true })
  lines.on('SIGINT', interrupt)
  output.write(`\r\u001b[K${question}`)
  try {
    const closed = once(lines, 'close').then(() => undefined)
    return await Promise.race([lines.question('', { signal }), closed])
  } catch {
    return undefined
  } finally {
    lines.close()
    output.write('\r\u001b[K')
  }
}
