/**
 * The input of a command that may be answered while it runs, and the time that it has.
 *
 * Whatever kind of connection it is: who is asked may take as long as he likes, and that does not count as the command's.
 */

import type { Writable } from 'node:stream'
import type { Talk } from './transport.ts'

interface Asked {
  /** What was to be sent before is on its way. */
  readonly stdin: Writable
  /** Milliseconds that the command has, before the answer and again after it. */
  readonly timeout: number
  readonly onTimeout: () => void
  readonly talk: Talk | undefined
}

export interface Dialogue {
  /** The command said this; pieces of a line come together. */
  hear(text: string): void
  /** The command is over, or lost. */
  end(): void
}

export function answering({ stdin, timeout, onTimeout, talk }: Asked): Dialogue {
  let timer = setTimeout(onTimeout, timeout)
  let rest = ''
  let isOver = talk === undefined
  if (isOver) stdin.end()

  async function answer(words: Promise<string>): Promise<void> {
    clearTimeout(timer)
    const text = await words
    if (isOver) return
    timer = setTimeout(onTimeout, timeout)
    stdin.end(text)
  }

  return {
    hear(text) {
      if (!talk) return
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const words = talk(line)
        if (words) void answer(words)
      }
    },
    end() {
      isOver = true
      clearTimeout(timer)
      stdin.destroy()
    },
  }
}
