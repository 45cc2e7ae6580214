/** What a node holds of ours against its own last confirmed bundle: one round trip, nothing written. */

import { type Templates, templateAt } from '../bundle/templates.ts'
import { ask, said } from './exchange.ts'
import { type Probed, probedOf } from './probe.ts'
import type { Target, Transport } from './transport.ts'

export interface Compared {
  readonly probed: Probed
  /** In the order of the artifacts, and within each as they stand; a line that is out of its place is both. */
  readonly deviations: readonly Deviation[]
}

export interface Deviation {
  readonly artifact: string
  /** There without us, in a place that is ours; or ours, and not there. */
  readonly what: 'extra' | 'missing'
  readonly line: string
}

const TIMEOUT = 120_000

export async function compareWithCurrent(
  transport: Transport,
  target: Target,
  templates: Templates,
): Promise<Compared> {
  const connection = await transport.connect(target)
  try {
    const script = templateAt(templates, 'node/probe.sh') + templateAt(templates, 'node/drift.sh')
    const asked = performance.now()
    const answer = await ask(connection, script, TIMEOUT)
    return { probed: probedOf(answer, asked), deviations: said(answer, 'difference').flatMap(deviationOf) }
  } finally {
    connection.close()
  }
}

/** `ipset -add sg-1 10.0.0.1`; other lines of a diff only say where. A fact that is no line of a file begins with `#=`. */
function deviationOf(text: string): readonly Deviation[] {
  const [, artifact = '', sign, line = ''] = /^(\S+) ([-+])(?:#= )?(.*)$/.exec(text) ?? []
  return sign === undefined ? [] : [{ artifact, what: sign === '-' ? 'extra' : 'missing', line }]
}
