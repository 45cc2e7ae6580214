/** What was given to groups and instances, between the record, which keeps it, and a view, which is made with it. */

import { type Given, type Kept, keepAllocation, readAllocation } from '../record/allocation.ts'
import { type Allocation, NOTHING_ALLOCATED } from '../view/conf/allocation.ts'
import { formatCidr, parseIpv4 } from '../view/ipv4.ts'
import type { Context } from './context.ts'

export interface Allocated {
  readonly cloud: string
  readonly kept: Kept
  /** What the view that is now served was made with. */
  readonly now: Allocation
}

/** Of a reading that gives out nothing. */
export const NOBODYS = { before: NOTHING_ALLOCATED, kept: undefined } as const

export function allocationOf(cloud: string, { stateFolder }: Context): { before: Allocation; kept: Kept } {
  const kept = readAllocation(stateFolder, cloud)
  const { tags, addresses } = kept.given
  const before = {
    ...NOTHING_ALLOCATED,
    tags: new Map(Object.entries(tags).map(([group, { tag }]) => [group, tag])),
    addresses: new Map(
      Object.entries(addresses).flatMap(([id, { address }]) => {
        const parsed = parseIpv4(address)
        return parsed ? [[id, parsed] as const] : []
      }),
    ),
  }
  return { before, kept }
}

/** Before any node is told of it; nothing happens where nothing has changed. */
export function keep(allocated: Allocated | undefined, { stateFolder, clock }: Context): void {
  if (!allocated) return
  const { cloud, kept, now } = allocated
  const given = givenNow(kept.given, now, clock().toISOString())
  if (JSON.stringify(given) === JSON.stringify(kept.given)) return
  keepAllocation(stateFolder, cloud, kept, given)
}

/** For a command that keeps nothing: what a push would give out and take back, a line each. */
export function changesOf(allocated: Allocated | undefined): readonly string[] {
  if (!allocated) return []
  const { now } = allocated
  const { given } = allocated.kept
  const tags = [...now.tags].map(
    ([group, tag]) => [`group ${group}`, `tag ${tag}`, given.tags[group]?.tag === tag] as const,
  )
  const addresses = [...now.addresses].map(([id, address]) => {
    return [`instance ${id}`, address, given.addresses[id]?.address === address] as const
  })
  const gone = [
    ...Object.keys(given.tags)
      .filter((group) => !now.tags.has(group))
      .map((group) => `group ${group}`),
    ...Object.keys(given.addresses)
      .filter((id) => !now.addresses.has(id))
      .map((id) => `instance ${id}`),
  ]
  return [
    ...[...tags, ...addresses].filter(([, , isKept]) => !isKept).map(([who, what]) => `${who} would get ${what}`),
    ...gone.map((who) => `what ${who} has had would be free`),
  ]
}

/** Sorted by name; who has had the same before has it since then. */
function givenNow(before: Given, { segments, tags, addresses }: Allocation, time: string): Given {
  return {
    ...(segments && { segments: { network: formatCidr(segments.network), size: segments.size } }),
    tags: sorted(
      [...tags].map(([group, tag]) => {
        const had = before.tags[group]
        return [group, { tag, since: had?.tag === tag ? had.since : time }]
      }),
    ),
    addresses: sorted(
      [...addresses].map(([id, address]) => {
        const had = before.addresses[id]
        return [id, { address, since: had?.address === address ? had.since : time }]
      }),
    ),
  }
}

function sorted<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
