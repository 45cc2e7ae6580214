import type { Verdict } from '../node/protocol.ts'
import type { RunPhase } from './outcome.ts'
import type { Finding } from './run-node.ts'

/** What a node said, as what became of it; `done` is what it is when everything went well. */
export function findingOf(
  phase: RunPhase,
  verdict: Verdict,
  done: Pick<Finding, 'status' | 'digest' | 'reason'>,
): Finding {
  const { state, notes, changes } = verdict
  if (state === 'done') return { ...done, phase, notes, ...(changes && { changes }) }
  const common = { ...done, phase, notes, reason: reasonOf(phase, verdict) }
  if (state === 'held-by-another') return { ...common, status: 'refused', heldElsewhere: true }
  return { ...common, status: state === 'died' ? 'unknown' : state }
}

export function reasonOf(phase: RunPhase, { errors }: Pick<Verdict, 'errors'>): string {
  return errors.join('; ') || `${phase} failed without saying why`
}
