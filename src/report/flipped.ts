import type { MixedState } from '../run/mixed-state.ts'

/** For how long a batch was neither old nor new, for a reader. */
export function flippedText({ stage, nodes, heard, byNodes }: MixedState & { readonly stage: string }): string {
  const clocks = byNodes ? `${rangeOf(byNodes)} by their own clocks, ` : ''
  return `stage ${stage}: ${nodes} nodes changed within ${clocks}${heard} ms as heard here\n`
}

function rangeOf({ atLeast, atMost }: NonNullable<MixedState['byNodes']>): string {
  return atLeast === atMost ? `${atMost} ms` : `${atLeast} to ${atMost} ms`
}
