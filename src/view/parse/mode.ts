/**
 * The mode: a view says it since 4.2, of an older one somebody else has to. What both say has to be the same: a view of
 * another cloud must not be carried out because of a flag.
 */

import { field, isPresent, optional, placeOf, type Source } from './fields.ts'
import { MODE } from './forms.ts'
import { quote } from './quote.ts'

export interface SaidMode {
  readonly name: string
  /** A flag, or a place in a file. */
  readonly saidBy: string
}

export function readMode(source: Source, said: SaidMode | undefined): string | undefined {
  const place = placeOf(source, field(source, 'mode')?.line)
  if (isPresent(source, 'mode')) {
    const mode = optional(source, 'mode', MODE)
    if (mode === undefined || said === undefined || said.name === mode) return mode
    return source.findings.error(place, `mode is ${mode}, but ${said.saidBy} says ${quote(said.name)}`)
  }
  if (!said)
    return source.findings.error(place, 'mode is missing, as it is in every view before 4.2: say it, --mode NAME')
  return MODE.read(said.name) ?? source.findings.error(place, `${said.saidBy}: ${quote(said.name)} is not ${MODE.is}`)
}
