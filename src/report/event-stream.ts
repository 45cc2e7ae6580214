import type { Listener } from '../run/event.ts'
import type { Terminal } from './terminal.ts'

interface Means {
  readonly terminal: Terminal
  readonly version: string
  readonly clock: () => Date
}

/** Events for programs: NDJSON whose first line says which format it is. */
export function eventStream({ terminal, version, clock }: Means, command: string): Listener {
  terminal.out(`${JSON.stringify({ type: 'edgepush', format: 1, version, command })}\n`)
  return (event) => terminal.out(`${JSON.stringify({ time: clock().toISOString(), ...event })}\n`)
}
