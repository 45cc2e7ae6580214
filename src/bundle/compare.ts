import type { Bundle } from './bundle.ts'

/** As a node tells it of itself. */
export interface Held {
  readonly digest: string
  readonly held: boolean
  readonly differing: readonly string[]
}

/** Why the bundle has to be pushed, in words; `none` when the node holds it already. */
export function compare(bundle: Bundle, holding: Held | undefined): string {
  if (!holding) return 'first push'
  if (holding.digest !== bundle.digest) return 'changed'
  if (holding.held) return 'none'
  return `repaired: ${holding.differing.join(', ')}`
}
