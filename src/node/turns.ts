/**
 * How many logins are under way at once, which is something else than how many nodes are served at once (--forks).
 *
 * - At one next hop: HANDSHAKES, below the 10 from which on sshd drops connections (MaxStartups). The next hop is the
 *   jump host, for the nodes behind it; else it is whom we connect to.
 * - In this process: ALL. The one thread here does the arithmetic of all handshakes; past some number they only make
 *   each other late.
 *
 * Who waits for a turn is not charged for it, so the time that a node has begins anew with its turn.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import pLimit, { type LimitFunction } from 'p-limit'
import type { Time } from './patience.ts'

export interface Turns {
  atHop<T>(hop: string, most: number | undefined, time: Time, work: () => Promise<T>): Promise<T>
  here<T>(time: Time, work: () => Promise<T>): Promise<T>
}

const HANDSHAKES = 8

const ALL = 64

/** Milliseconds over which those are spread that find a free place, so that they do not all come in one instant. */
const JITTER = 100

export function openTurns(): Turns {
  const all = pLimit(ALL)
  const hops = new Map<string, LimitFunction>()

  function limitFor(hop: string, most: number): LimitFunction {
    const name = `${most} ${hop}`
    const limit = hops.get(name) ?? pLimit(most)
    hops.set(name, limit)
    return limit
  }

  return {
    async atHop(hop, most = HANDSHAKES, time, work) {
      const limit = limitFor(hop, most)
      const isFirst = limit.activeCount + limit.pendingCount === 0
      const waits = limit.pendingCount > 0 || limit.activeCount >= most
      return await inTurn(limit, time, isFirst || waits ? 0 : JITTER * Math.random(), work)
    },
    here: (time, work) => inTurn(all, time, 0, work),
  }
}

async function inTurn<T>(limit: LimitFunction, time: Time, pause: number, work: () => Promise<T>): Promise<T> {
  const asked = performance.now()
  return await limit(async () => {
    if (pause > 0) await sleep(pause)
    time.forgive(performance.now() - asked)
    return await work()
  })
}
