/** What a watch counts, and tells whoever collects it after each round. */

import { EXIT } from '../error.ts'
import { countsOf } from '../report/rounds.ts'
import { type WatchTotals, watchMetrics } from '../report/watch-metrics.ts'
import { isGood } from '../run/outcome.ts'
import type { Context } from './context.ts'
import { writeMetrics } from './metrics-file.ts'
import type { Round } from './watch-round.ts'

interface Totals {
  /** `changed` is when the change was noticed that the round is about, if it is about one. */
  readonly count: (round: Round, changed: number | undefined) => void
}

export function watchTotals(cloud: string, file: string | undefined, { clock, terminal }: Context): Totals {
  const rounds = { good: 0, failed: 0, refused: 0 }
  let totals: WatchTotals = {
    cloud,
    rounds,
    nodes: new Map(),
    view: undefined,
    success: undefined,
    delay: undefined,
    isRefused: false,
  }
  if (file !== undefined) writeMetrics(file, watchMetrics(totals))

  return {
    count(round, changed) {
      rounds[round.refusal ? 'refused' : round.code === EXIT.ok ? 'good' : 'failed'] += 1
      const isCalm = !round.refusal && [...round.watched.known.values()].every(isGood)
      const isConfirmed = changed !== undefined && isCalm && round.outcomes.length > 0
      totals = {
        ...totals,
        nodes: countsOf(round.watched.known.values()),
        view: round.view ?? totals.view,
        success: isCalm ? clock() : totals.success,
        delay: isConfirmed ? (performance.now() - changed) / 1000 : totals.delay,
        isRefused: round.refusal !== undefined,
      }
      if (file === undefined) return
      try {
        writeMetrics(file, watchMetrics(totals))
      } catch (error) {
        // A full disk keeps no node from its rules.
        terminal.err(`warning: ${error instanceof Error ? error.message : error}; the watch goes on\n`)
      }
    },
  }
}
