/** Where a run is, in a few lines, however many nodes it has. */

import type { RunEvent } from '../run/event.ts'
import type { RunPhase, Status } from '../run/outcome.ts'
import { table } from './table.ts'
import { countsText } from './worst-first.ts'

export interface Tally {
  readonly heed: (event: RunEvent) => void
  readonly lines: () => readonly string[]
}

interface Busy {
  readonly phase: RunPhase
  readonly since: number
}

const SLOWEST = 5

/** `now` in milliseconds. */
export function tally(now: () => number): Tally {
  const began = now()
  let total = 0
  let stage = ''
  // Whoever enters a phase comes last: those who are longest in theirs come first.
  const busy = new Map<string, Busy>()
  const ended = new Map<Status, number>()

  return {
    heed(event) {
      if (event.type === 'run-started') total = event.nodes.length
      if (event.type === 'stage-started') stage = event.stage
      if (event.type === 'phase' || event.type === 'outcome') busy.delete(nodeOf(event))
      if (event.type === 'phase') busy.set(event.node, { phase: event.phase, since: now() })
      if (event.type === 'outcome') ended.set(event.outcome.status, (ended.get(event.outcome.status) ?? 0) + 1)
    },
    lines() {
      const done = [...ended.values()].reduce((sum, count) => sum + count, 0)
      // Who is ready waits for the others.
      const slowest = [...busy]
        .filter(([, { phase }]) => phase !== 'ready')
        .slice(0, SLOWEST)
        .map(([node, { phase, since }]) => {
          return [`  ${seconds(now() - since).padStart(5)}`, phase, node]
        })
      return [
        `stage ${stage}: ${done} of ${total} ${total === 1 ? 'node' : 'nodes'} done, ${seconds(now() - began)}`,
        ...(ended.size > 0 ? [`  ${countsText(ended)}`] : []),
        ...(busy.size > 0 ? [`  at ${phasesText(busy)}`] : []),
        ...table(slowest).split('\n').slice(0, -1),
      ]
    },
  }
}

function nodeOf(event: Extract<RunEvent, { type: 'phase' | 'outcome' }>): string {
  return event.type === 'phase' ? event.node : event.outcome.node
}

/** As far as nodes are from the beginning, in no other order than that in which they came there. */
function phasesText(busy: ReadonlyMap<string, Busy>): string {
  const counts = new Map<RunPhase, number>()
  for (const { phase } of busy.values()) counts.set(phase, (counts.get(phase) ?? 0) + 1)
  return [...counts].map(([phase, count]) => `${phase} ${count}`).join(', ')
}

function seconds(milliseconds: number): string {
  return `${Math.floor(milliseconds / 1_000)} s`
}
