/**
 * The arithmetic of segments: the managed network is cut into equal parts, one for each tag, from tag 2 on.
 *
 * In each, the first address is the network's, the next eight are gateways, one for each cluster, and the last is the
 * broadcast address; instances have the rest.
 */

import { broadcast, type Cidr, contains, type Ipv4, network, toIpv4, toNumber } from '../../view/ipv4.ts'
import type { ManagedSubnet } from '../../view/view.ts'

const FIRST_TAG = 2
/** One more is the number that no 802.1Q tag can have. */
const LAST_TAG = 4094
export const GATEWAYS = 8

export interface Segment {
  readonly tag: number
  readonly network: Cidr
}

/** The segment an address lies in; undefined outside of all that have a tag. */
export function segmentAt({ network: all, segmentSize }: ManagedSubnet, address: Ipv4): Segment | undefined {
  if (!contains(all, address)) return undefined
  const prefix = 32 - Math.log2(segmentSize)
  const own = network(address, prefix)
  const tag = FIRST_TAG + (toNumber(own.address) - toNumber(all.address)) / segmentSize
  const count = 2 ** (32 - all.prefix) / segmentSize
  return tag < count && tag <= LAST_TAG ? { tag, network: own } : undefined
}

/** That of the cluster at a place, from 0. */
export function gatewayOf({ network: { address } }: Segment, position: number): Ipv4 {
  return toIpv4(toNumber(address) + 1 + position)
}

/** Which cluster's gateway an address is, from 0; undefined for what is none. */
export function positionOf(subnet: ManagedSubnet, address: Ipv4): number | undefined {
  const segment = segmentAt(subnet, address)
  const position = segment && toNumber(address) - toNumber(segment.network.address) - 1
  return position !== undefined && position >= 0 && position < GATEWAYS ? position : undefined
}

export function broadcastOf({ network: own }: Segment): Ipv4 {
  return broadcast(own)
}
