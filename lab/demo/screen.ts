// Where the demo speaks: results on standard output; what is going on, on a terminal only, in a line of standard error
// that the next one replaces.

import picocolors from 'picocolors'

type Colour = (text: string) => string

export interface Screen {
  readonly print: (text: string) => void
  /** Empty: nothing is going on any more. */
  readonly busy: (what: string) => void
  /** Both streams are a terminal: a command may draw there by itself. */
  readonly live: boolean
  readonly paint: { readonly good: Colour; readonly bad: Colour; readonly faint: Colour; readonly strong: Colour }
}

/** After `ended` no result is printed any more. */
export function openScreen(ended: AbortSignal): Screen {
  const live = process.stdout.isTTY === true && process.stderr.isTTY === true
  const { green, red, dim, bold } = picocolors.createColors(live && picocolors.isColorSupported)

  function busy(what: string): void {
    if (live) process.stderr.write(`\r\u001b[K${what === '' ? '' : dim(`${what} ...`)}`)
  }

  function print(text: string): void {
    if (ended.aborted) return
    busy('')
    process.stdout.write(`${text}\n`)
  }

  return { print, busy, live, paint: { good: green, bad: red, faint: dim, strong: bold } }
}
