/**
 * A run as a person follows it: on a terminal a block of a few lines that says where it is, elsewhere a line for every
 * stage and for every node that is done.
 */

import type { Listener, RunEvent } from '../run/event.ts'
import { isGood, type Outcome } from '../run/outcome.ts'
import { about } from './about.ts'
import { foldNames } from './fold-names.ts'
import type { LiveBlock } from './live-block.ts'
import { tally } from './tally.ts'
import type { Terminal } from './terminal.ts'

export function progress({ err, live, quiet }: Pick<Terminal, 'err' | 'live' | 'quiet'>): Listener {
  if (quiet) return () => undefined
  return live ? inBlock(live, err) : lineByLine(err)
}

function inBlock(block: LiveBlock, err: Terminal['err']): Listener {
  const { heed, lines } = tally(() => performance.now())
  return (event) => {
    heed(event)
    if (event.type === 'run-started') block.show(lines)
    if (event.type === 'stopped') err(`${stopText(event)}\n`)
    if (event.type === 'run-finished') block.end()
  }
}

function lineByLine(err: Terminal['err']): Listener {
  return (event) => {
    if (event.type === 'stage-started')
      err(`stage ${event.stage}: ${event.nodes.length} ${event.nodes.length === 1 ? 'node' : 'nodes'}\n`)
    if (event.type === 'outcome') err(`${event.outcome.node}: ${brief(event.outcome)}\n`)
    if (event.type === 'stopped') err(`${stopText(event)}\n`)
  }
}

function stopText({ stage, failed, why }: Extract<RunEvent, { type: 'stopped' }>): string {
  return `stage ${stage} had failures (${foldNames(failed).join(',')}) and ends the run: ${why}`
}

function brief(outcome: Outcome): string {
  const { status, phase } = outcome
  if (status === 'unchanged' || status === 'not-attempted') return status
  const why = isGood(outcome) ? about([outcome]) : outcome.reason
  return `${status}${status === 'converged' || !phase ? '' : ` at ${phase}`}${why ? `: ${why}` : ''}`
}
