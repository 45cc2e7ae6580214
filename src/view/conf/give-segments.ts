/**
 * Tags of groups, and the addresses of their instances in the segments of these tags.
 *
 * An address that somebody says decides its group's tag; a group or instance that has had one keeps it; anybody else gets
 * the lowest that is free, and rather one that nobody had before. A tag belongs to its group as long as somebody is in it.
 * The first and the last address of a segment, and the eight after the first, which are those of gateways, are nobody's.
 */

import { type Cidr, contains, formatCidr, type Ipv4, parseIpv4, toIpv4, toNumber } from '../ipv4.ts'
import type { Findings } from '../parse/findings.ts'
import { groupId } from '../parse/group-id.ts'
import type { Allocation } from './allocation.ts'
import type { ListedInstance } from './instance-list.ts'

/** A network, cut. */
interface Cut {
  readonly network: Cidr
  readonly size: number
}

export interface Segments extends Cut {
  /** Of the tags that may be given out; both ends belong to them. */
  readonly tags: { readonly first: number; readonly last: number }
}

const FIRST_TAG = 2
const FIRST_INDEX = 9
const MOST_SEGMENTS = 4096

/** As many as the original gives out at most: the last ones that would fit it leaves alone. */
export function tagsOf(network: Cidr, size: number, said: Segments['tags']): Segments['tags'] {
  const segments = Math.min(Math.floor(2 ** (32 - network.prefix) / size), MOST_SEGMENTS)
  return { first: said.first, last: Math.min(said.last, segments - 2) }
}

export function giveSegments(
  instances: readonly ListedInstance[],
  segments: Segments,
  before: Allocation,
  findings: Findings,
): Allocation {
  const members = instances.flatMap((instance) => {
    const group = groupId(instance.groups[0]?.text ?? '')
    return group === undefined ? [] : [{ instance, group }]
  })
  const tags = giveTags(members, segments, before, findings)
  const addresses = new Map<string, Ipv4>()
  const waiting: { readonly member: Member; readonly tag: number }[] = []
  for (const member of members) {
    const { id, address } = member.instance
    const tag = tags.get(member.group)
    const had = address ? parseIpv4(address.text) : before.addresses.get(id.text)
    if (had) addresses.set(id.text, had)
    else if (!address && tag !== undefined) waiting.push({ member, tag })
    if (!had || tag === undefined || isIn(had, tag, segments)) continue
    const text = address
      ? `${had} is not one that instances of tag ${tag} may have`
      : `has had ${had}, which is no address of the segment of tag ${tag} any more: say its address`
    findings.within('instance').error(placeOf(member), text)
  }
  const taken = new Set(addresses.values())
  const left = new Set(before.addresses.values())
  for (const { member, tag } of waiting) {
    const free = lowestFree(tag, segments, new Set([...taken, ...left])) ?? lowestFree(tag, segments, taken)
    if (!free) {
      const text = `group ${member.group} has no address left for it: tag ${tag} has ${segments.size - FIRST_INDEX - 1}`
      findings.within('instance').error(placeOf(member), text)
      continue
    }
    taken.add(free)
    addresses.set(member.instance.id.text, free)
  }
  const { network, size } = segments
  return { segments: { network, size }, tags, addresses }
}

interface Member {
  readonly instance: ListedInstance
  readonly group: string
}

function giveTags(
  members: readonly Member[],
  segments: Segments,
  before: Allocation,
  findings: Findings,
): ReadonlyMap<string, number> {
  const said = saidTags(members, segments, findings)
  const groups = new Set(members.map(({ group }) => group))
  const tags = new Map(said)
  for (const group of groups) {
    const had = before.tags.get(group)
    if (had !== undefined && !tags.has(group) && hasSegment(had, segments)) tags.set(group, had)
  }
  const { first, last } = segments.tags
  const left = new Set(before.tags.values())
  const taken = new Map<number, string>()
  for (const member of members) {
    const { group } = member
    const others = new Set(tags.values())
    const tag =
      tags.get(group) ?? lowestTag(first, last, new Set([...others, ...left])) ?? lowestTag(first, last, others)
    if (tag === undefined) {
      findings.error(placeOf(member), `there is no tag left for group ${group}: ${first} to ${last} are taken`)
      continue
    }
    tags.set(group, tag)
    const other = taken.get(tag) ?? group
    if (other !== group)
      findings.error(placeOf(member), `group ${group} has tag ${tag}, which is that of group ${other}`)
    taken.set(tag, group)
  }
  return tags
}

function lowestTag(first: number, last: number, taken: ReadonlySet<number>): number | undefined {
  for (let tag = first; tag <= last; tag++) if (!taken.has(tag)) return tag
  return undefined
}

/** What addresses that somebody said mean for their groups. */
function saidTags(
  members: readonly Member[],
  { network, size }: Segments,
  findings: Findings,
): ReadonlyMap<string, number> {
  const tags = new Map<string, number>()
  for (const member of members) {
    const address = parseIpv4(member.instance.address?.text ?? '')
    if (!address) continue
    if (!contains(network, address)) {
      findings.within('instance').error(placeOf(member), `${address} is outside ${formatCidr(network)}`)
      continue
    }
    const { tag } = indexOf(address, { network, size })
    const other = tags.get(member.group) ?? tag
    if (other !== tag) {
      const text = `${address} is in the segment of tag ${tag}, and group ${member.group} has tag ${other}`
      findings.within('instance').error(placeOf(member), text)
    }
    tags.set(member.group, other)
  }
  return tags
}

function isIn(address: Ipv4, tag: number, { network, size }: Segments): boolean {
  const index = toNumber(address) - startOf(tag, network, size)
  return index >= FIRST_INDEX && index < size - 1
}

function hasSegment(tag: number, { network, size }: Segments): boolean {
  return contains(network, toIpv4(startOf(tag, network, size)))
}

export function segmentOf(tag: number, { network, size }: Cut): Cidr {
  return { address: toIpv4(startOf(tag, network, size)), prefix: 32 - Math.log2(size) }
}

/** Of an address of the network. */
export function indexOf(address: Ipv4, { network, size }: Cut): { readonly tag: number; readonly index: number } {
  const offset = toNumber(address) - toNumber(network.address)
  return { tag: FIRST_TAG + Math.floor(offset / size), index: offset % size }
}

function lowestFree(tag: number, { network, size }: Segments, taken: ReadonlySet<Ipv4>): Ipv4 | undefined {
  for (let index = FIRST_INDEX; index < size - 1; index++) {
    const address = toIpv4(startOf(tag, network, size) + index)
    if (!taken.has(address)) return address
  }
  return undefined
}

function startOf(tag: number, network: Cidr, size: number): number {
  return toNumber(network.address) + size * (tag - FIRST_TAG)
}

function placeOf({ instance: { id } }: Member) {
  return { file: id.file, line: id.line, label: `instance ${id.text}` }
}
