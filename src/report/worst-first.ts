import type { Status } from '../run/outcome.ts'

/** In the order in which people should read of them. */
export const WORST_FIRST: readonly Status[] = [
  'unknown',
  'reverting',
  'rolled-back',
  'refused',
  'unreachable',
  'not-attempted',
  'awaiting',
  'converged',
  'released',
  'unchanged',
]

export function countsText(counts: ReadonlyMap<Status, number>): string {
  return WORST_FIRST.flatMap((status) => (counts.has(status) ? [`${counts.get(status)} ${status}`] : [])).join(', ')
}
