/**
 * A few lines at the bottom of a terminal that are drawn over and over while something takes its time.
 *
 * Invariants:
 * - the cursor always stands at the beginning of the line below the block, so that whatever ends this process leaves a
 *   terminal that can be typed into;
 * - whatever else is written takes the block away before (`lift`): nothing stands in the midst of it, and nothing of it is
 *   left above. What is written so ends its line;
 * - no line is as wide as the terminal, and there are fewer of them than it has, because what has wrapped or is scrolled
 *   away cannot be counted on. A terminal that becomes narrower wraps the lines that it shows: they are counted anew;
 * - it is drawn ten times a second at most, and never keeps the process alive.
 */

/** A terminal; its size is asked each time, because a window may change it. */
export interface Pane {
  write(text: string): unknown
  /** 0 where nobody knows. */
  readonly columns: number
  readonly rows: number
}

export interface LiveBlock {
  /** From the next tick on; `lines` is asked at each. */
  readonly show: (lines: () => readonly string[]) => void
  /** For a moment. */
  readonly lift: () => void
  /** For good. */
  readonly end: () => void
}

const TICK = 100

export function liveBlock(pane: Pane): LiveBlock {
  let timer: NodeJS.Timeout | undefined
  let drawn: readonly string[] = []

  const lift = () => {
    if (drawn.length === 0) return
    // A key that was pressed may stand where the cursor was.
    pane.write(`\r\u001b[${heightOf(drawn, sizeOf(pane))}A\u001b[J`)
    drawn = []
  }
  const draw = (lines: readonly string[]) => {
    const { columns, rows } = sizeOf(pane)
    const next = lines.slice(0, rows - 1).map((line) => line.slice(0, columns - 1))
    if (next.join('\n') === drawn.join('\n')) return
    lift()
    pane.write(next.map((line) => `\u001b[2m${line}\u001b[22m\n`).join(''))
    drawn = next
  }
  const end = () => {
    clearInterval(timer)
    lift()
  }
  return {
    show(lines) {
      end()
      timer = setInterval(() => draw(lines()), TICK).unref()
    },
    lift,
    end,
  }
}

type Size = Pick<Pane, 'columns' | 'rows'>

function sizeOf({ columns, rows }: Size): Size {
  return { columns: columns || 80, rows: rows || 24 }
}

/** In lines of the terminal as it is now. */
function heightOf(lines: readonly string[], { columns, rows }: Size): number {
  const wrapped = lines.map(({ length }) => Math.max(1, Math.ceil(length / columns)))
  return Math.min(
    wrapped.reduce((sum, height) => sum + height, 0),
    rows - 1,
  )
}
