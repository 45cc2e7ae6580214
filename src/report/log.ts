import pino from 'pino'
import type { Listener } from '../run/event.ts'

/** Every event as a line of JSON on standard error, for -v: what a log collector can take. */
export function logger(verbose: boolean): Listener {
  if (!verbose) return () => undefined
  // Synchronous, so that the last words before a crash are written, too.
  const log = pino({ level: 'debug', base: null }, pino.destination({ dest: 2, sync: true }))
  return (event) => {
    if (event.type === 'phase') log.debug(event, 'phase')
    else log.info(event, event.type)
  }
}
