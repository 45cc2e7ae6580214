import type { Context } from '../commands/context.ts'
import type { Listener } from '../run/event.ts'

/** Events for programs: NDJSON whose first line says which format it is. */
export function eventStream({ terminal, version, clock }: Context, command: string): Listener {
  terminal.out(`${JSON.stringify({ type: 'edgepush', format: 1, version, command })}\n`)
  return (event) => terminal.out(`${JSON.stringify({ time: clock().toISOString(), ...event })}\n`)
}
