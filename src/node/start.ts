/** How a node begins to change: it says that it is ready, is told whether it may, and says when its new rules decide. */

import { type ClockReading, narrow, readClock, type Span, timeOf } from './clock.ts'
import type { Hear } from './exchange.ts'
import type { Stored } from './stage-script.ts'

/** Between all that can be done beforehand and the first change. */
export interface Start {
  /** The node is ready: may it begin? A node that is told no has changed nothing, as one that is told nothing. */
  readonly mayBegin: () => Promise<boolean>
  /** What it had of bundles when it was probed. */
  readonly stored: Stored
  /** Its clock, when it was probed. */
  readonly clock: ClockReading | undefined
  readonly onActivated: (activation: Activation) => void
}

/** From here on the new rules decide on the node. */
export interface Activation {
  /** When we heard of it, in milliseconds of our clock. */
  readonly heard: number
  /** By the node's own clock, corrected; undefined where that cannot be told. */
  readonly at: Span | undefined
}

export function hearing({ mayBegin, clock, onActivated }: Start): Hear {
  let ready: ClockReading | undefined
  let told = Number.NEGATIVE_INFINITY
  return ({ word, text }) => {
    const now = performance.now()
    const reading = readClock(text, now)
    if (word === 'ready') {
      ready = reading
      return mayBegin().then((may) => {
        told = performance.now()
        return may ? 'go\n' : 'no\n'
      })
    }
    if (word === 'activated') {
      const byClock = clock && ready && reading && timeOf(reading.node, { asked: clock, heard: ready })
      // A busy node reads its clock late; in any case it was after we told it to begin, and before we heard of it.
      onActivated({ heard: now, at: byClock && narrow(byClock, { earliest: told, latest: now }) })
    }
    return undefined
  }
}
