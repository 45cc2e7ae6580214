/**
 * What instances and groups were given because nobody said it. It cannot be worked out again from who is there now, so it
 * has to be kept by whoever asks; what is not in it any more is free.
 */

import type { Cidr, Ipv4 } from '../ipv4.ts'

export interface Allocation {
  /** Absent where there are none. */
  readonly segments: { readonly network: Cidr; readonly size: number } | undefined
  /** By group. */
  readonly tags: ReadonlyMap<string, number>
  /** By instance. */
  readonly addresses: ReadonlyMap<string, Ipv4>
}

export const NOTHING_ALLOCATED: Allocation = { segments: undefined, tags: new Map(), addresses: new Map() }
