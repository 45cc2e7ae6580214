// What a node may hold, by what was said of it.

import type { Outcome } from '../../../src/run/outcome.ts'
import type { Dump } from '../dump.ts'
import type { Side } from './ground.ts'
import { differences, type Live, same, type Whole } from './verdict.ts'

export interface Believed {
  /** The side that it goes back to. Two, when nobody heard whether it was confirmed. */
  readonly confirmed: readonly Side[]
  /** One of these, as soon as its window has ended. */
  readonly holds: readonly Dump[]
}

type Wholes = Readonly<Record<Side, Whole>>

export function afterPush(earlier: Believed, { status, phase }: Outcome, to: Side, wholes: Wholes): Believed {
  const { confirmed, holds } = earlier
  const backAt = confirmed.map((side) => wholes[side].dump)
  if (status === 'converged' || status === 'unchanged') return { confirmed: [to], holds: [wholes[to].dump] }
  if (status === 'refused' || status === 'unreachable') return earlier
  if (status === 'rolled-back') return { confirmed, holds: backAt }
  // It may have been cut off before it had begun.
  if (status === 'reverting') return { confirmed, holds: [...holds, ...backAt] }
  if (status === 'unknown' && phase === 'confirm')
    return { confirmed: [...confirmed, to], holds: [...backAt, wholes[to].dump] }
  throw new Error(`${status} at ${phase} must not be`)
}

/** What it turned out to be, now that it is settled; fails where that was not possible. */
export function settled({ confirmed, holds }: Believed, dump: Dump, live: Live | undefined, wholes: Wholes): Believed {
  const side = confirmed.find((one) => wholes[one].digest === live?.digest)
  if (!(live && side) || live.pending) throw new Error(`it says of itself ${JSON.stringify(live)}`)
  if (!holds.some((possible) => same(possible, dump)))
    throw new Error(`it holds ${holds.map((possible) => differences(dump, possible)).join(' or ')}`)
  if (live.held !== same(dump, wholes[side].dump)) throw new Error(`it is wrong about what it holds: ${live.held}`)
  return { confirmed: [side], holds: [dump] }
}
