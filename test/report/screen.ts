/** A terminal without a window: what a person would see of what was written to it. */

import xterm from '@xterm/headless'

export interface Screen {
  write(text: string): void
  readonly columns: number
  readonly rows: number
  /** When everything that was written is shown. */
  settled(): Promise<void>
  resize(columns: number, rows: number): Promise<void>
  /** All lines from the first, also those that have scrolled away; without empty ones at the end. */
  text(): string
}

export function openScreen(columns: number, rows: number): Screen {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    scrollback: 100_000,
    convertEol: true,
    allowProposedApi: true,
  })
  let last = Promise.resolve()
  return {
    write(text) {
      last = new Promise((resolve) => terminal.write(text, resolve))
    },
    get columns() {
      return terminal.cols
    },
    get rows() {
      return terminal.rows
    },
    settled: () => last,
    async resize(toColumns, toRows) {
      await last
      terminal.resize(toColumns, toRows)
    },
    text() {
      const { active } = terminal.buffer
      let text = ''
      for (let index = 0; index < active.length; index++) {
        const line = active.getLine(index)
        if (index > 0 && line?.isWrapped !== true) text += '\n'
        text += line?.translateToString(active.getLine(index + 1)?.isWrapped !== true) ?? ''
      }
      return text.trimEnd()
    },
  }
}
