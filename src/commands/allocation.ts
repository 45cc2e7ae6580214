/** What was given to groups and instances, between the record, which keeps it, and a view, which is made with it. */

import { EXIT, type ExitCode, Refusal } from '../error.ts'
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

/** Before any node is told of it. What was given before stays besides: nobody has heard yet that it is free. */
export function keep(allocated: Allocated | undefined, context: Context): Allocated | undefined {
  if (!allocated) return undefined
  const { given } = allocated.kept
  const now = givenNow(given, allocated.now, context.clock().toISOString())
  const both = { ...now, tags: { ...given.tags, ...now.tags }, addresses: { ...given.addresses, ...now.addresses } }
  return { ...allocated, kept: write(allocated, sortedParts(both), context) }
}

/**
 * After a run, if it came to a good end: what is nobody's any more is free. After any other it is not: what kept the run
 * from its end may have been a list without the half of them.
 */
export function free(allocated: Allocated | undefined, code: ExitCode, context: Context): void {
  if (!allocated || code !== EXIT.ok) return
  try {
    write(allocated, givenNow(allocated.kept.given, allocated.now, context.clock().toISOString()), context)
  } catch (error) {
    // The nodes are as they should be, and the next run frees it.
    if (!(error instanceof Refusal)) throw error
    context.terminal.err(`warning: what is free could not be written down: ${error.message}\n`)
  }
}

function write({ cloud, kept }: Allocated, given: Given, { stateFolder }: Context): Kept {
  if (JSON.stringify(given) === JSON.stringify(kept.given)) return kept
  return keepAllocation(stateFolder, cloud, kept, given)
}

function sortedParts(given: Given): Given {
  return { ...given, tags: sorted(Object.entries(given.tags)), addresses: sorted(Object.entries(given.addresses)) }
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
