/** Bridges, VLAN devices and gateways, one of each for a group. */

import { Unfit } from '../../error.ts'
import type { Ipv4 } from '../../view/ipv4.ts'
import type { SegmentedGroup } from './members.ts'
import { broadcastOf, gatewayOf } from './segments.ts'

export interface Bridge {
  readonly name: string
  readonly vlan: string
  readonly parent: string
  readonly tag: number
}

export interface Gateway {
  readonly device: string
  readonly address: Ipv4
  readonly prefix: number
  readonly broadcast: Ipv4
}

/** What the kernel takes as the name of a device. */
const LONGEST_NAME = 15

/** The node controller attaches instances to the bridge that is called as their group is. */
export function bridgeOf({ group, segment }: SegmentedGroup, parent: string): Bridge {
  const vlan = `${parent}.${segment.tag}`
  for (const name of [group.id, vlan]) {
    if (name.length <= LONGEST_NAME) continue
    throw new Unfit(
      `group ${group.id} would need a device ${name}, and no name of a device is longer than ${LONGEST_NAME}`,
    )
  }
  return { name: group.id, vlan, parent, tag: segment.tag }
}

export function gatewaysOf(
  groups: readonly SegmentedGroup[],
  position: number,
  device: (group: SegmentedGroup) => string,
): readonly Gateway[] {
  const gateways = groups.map((one) => ({
    device: device(one),
    address: gatewayOf(one.segment, position),
    prefix: one.segment.network.prefix,
    broadcast: broadcastOf(one.segment),
  }))
  // Two groups may share a segment; on one device its gateway is there once.
  return gateways.filter((one, index) => {
    return gateways.findIndex(({ device: at, address }) => at === one.device && address === one.address) === index
  })
}
