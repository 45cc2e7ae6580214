/**
 * A run as a person follows it: on a terminal one line that is overwritten, elsewhere a line for every node that is done.
 */

import type { Listener, RunEvent } from '../run/event.ts'
import type { Outcome } from '../run/outcome.ts'
import type { Terminal } from './terminal.ts'

export function progress(terminal: Terminal): Listener {
  if (terminal.quiet) return () => undefined
  return terminal.live ? liveLine(terminal) : lineByLine(terminal)
}

function liveLine({ err, columns, paint }: Terminal): Listener {
  const phases = new Map<string, string>()
  let total = 0
  let done = 0
  const draw = () => {
    const busy = [...phases].map(([node, phase]) => `${node} ${phase}`).join(', ')
    err(`\r\u001b[K${paint.faint(`${done}/${total} nodes${busy ? `: ${busy}` : ''}`.slice(0, columns - 1))}`)
  }
  return (event) => {
    if (event.type === 'run-started') total = event.nodes.length
    if (event.type === 'phase') phases.set(event.node, event.phase)
    if (event.type === 'outcome') {
      phases.delete(event.outcome.node)
      done += 1
    }
    if (event.type === 'run-finished') err('\r\u001b[K')
    else draw()
    if (event.type === 'stopped') err(`\r\u001b[K${stopText(event)}\n`)
  }
}

function lineByLine({ err }: Terminal): Listener {
  return (event) => {
    if (event.type === 'stage-started')
      err(`stage ${event.stage}: ${event.nodes.length} ${event.nodes.length === 1 ? 'node' : 'nodes'}\n`)
    if (event.type === 'outcome') err(`${event.outcome.node}: ${brief(event.outcome)}\n`)
    if (event.type === 'stopped') err(`${stopText(event)}\n`)
  }
}

function stopText({ stage, failed, why }: Extract<RunEvent, { type: 'stopped' }>): string {
  return `stage ${stage} had failures (${failed.join(', ')}) and ends the run: ${why}`
}

function brief({ status, phase, reason }: Outcome): string {
  if (status === 'unchanged' || status === 'not-attempted') return status
  return `${status}${status === 'converged' || !phase ? '' : ` at ${phase}`}${reason ? `: ${reason}` : ''}`
}
