/**
 * How many nodes may fail before a run stops.
 *
 * Invariants: failures are counted over the whole run, whatever the failure, and a share is one of all its nodes; a budget is
 * used up when it is reached, not when it is exceeded.
 */

export type Budget = { readonly nodes: number } | { readonly percent: number }

export interface Spent {
  readonly failed: number
  /** How many there may be before it stops. */
  readonly limit: number
}

/** Undefined while there is some left. The first failure uses up one of 0 as it does one of 1. */
export function spent(budget: Budget, failed: number, all: number): Spent | undefined {
  const limit = Math.max(1, 'nodes' in budget ? budget.nodes : Math.ceil((all * budget.percent) / 100))
  return failed >= limit ? { failed, limit } : undefined
}

export function describe({ failed, limit }: Spent): string {
  return `${failed} ${failed === 1 ? 'node' : 'nodes'} failed, and the run stops at ${limit}`
}
