/** Who runs where, and which group has which segment: what both kinds of host go by. */

import type { Cluster, Instance, ManagedSubnet, SecurityGroup, View } from '../../view/view.ts'
import { type Segment, segmentAt } from './segments.ts'

/** A group, and the part of the managed network that is its own. */
export interface SegmentedGroup {
  readonly group: SecurityGroup
  readonly segment: Segment
}

/**
 * The groups of the whole cloud that have a segment, which is that of the first of their members, by address, that is in
 * any. A group without one has no chain, no bridge and no network, and no rule about it lets anything in.
 */
export function segmentedGroups(view: View, subnet: ManagedSubnet): readonly SegmentedGroup[] {
  return view.groups.flatMap((group) => {
    const segments = membersOf(view, group.id).flatMap(({ privateAddress }) => segmentAt(subnet, privateAddress) ?? [])
    const [segment] = segments
    return segment ? [{ group, segment }] : []
  })
}

export function membersOf({ instances }: View, group: string): readonly Instance[] {
  return instances.filter(({ groups }) => groups.includes(group))
}

/** Those of a cluster, of all its nodes together; or those of one node. */
export function instancesOf(view: View, { nodes }: Pick<Cluster, 'nodes'>): readonly Instance[] {
  const ids = new Set(nodes.flatMap(({ instances }) => instances))
  return view.instances.filter(({ id }) => ids.has(id))
}

export function groupsOf(all: readonly SegmentedGroup[], instances: readonly Instance[]): readonly SegmentedGroup[] {
  const ids = new Set(instances.flatMap(({ groups }) => groups))
  return all.filter(({ group }) => ids.has(group.id))
}
