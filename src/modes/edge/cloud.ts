/**
 * A view, arranged so that what one node is to hold is found without going through the whole cloud: each of thousands
 * of nodes has a bundle of the same view.
 *
 * Invariant: a view is frozen, so it is arranged once; what was made of it is forgotten with it.
 */

import { type Ipv4, toNumber } from '../../view/ipv4.ts'
import type { Cluster, Instance, SecurityGroup, View } from '../../view/view.ts'

export interface Cloud {
  /** By the address of a node. */
  readonly homes: ReadonlyMap<string, Home>
  readonly groups: ReadonlyMap<string, SecurityGroup>
  /** By group: the addresses of its members, sorted. */
  readonly members: ReadonlyMap<string, readonly Ipv4[]>
  /** Of whatever may run in the cloud, sorted. */
  readonly privates: readonly Ipv4[]
}

interface Home {
  readonly cluster: Cluster
  /** In the order of the view. */
  readonly instances: readonly Instance[]
}

const arranged = new WeakMap<View, Cloud>()

export function cloudOf(view: View): Cloud {
  const known = arranged.get(view)
  if (known) return known
  const cloud = arrange(view)
  arranged.set(view, cloud)
  return cloud
}

function arrange(view: View): Cloud {
  const { clusters, groups, instances, withheld } = view
  const byId = new Map(instances.map((instance) => [instance.id, instance]))
  const homes = clusters.flatMap((cluster) => {
    return cluster.nodes.map(({ name, instances: ids }): readonly [string, Home] => {
      return [name, { cluster, instances: ids.flatMap((id) => byId.get(id) ?? []) }]
    })
  })
  return {
    homes: new Map(homes),
    groups: new Map(groups.map((group) => [group.id, group])),
    members: membersOf(instances),
    privates: sorted([...instances.map(({ privateAddress }) => privateAddress), ...withheld]),
  }
}

function membersOf(instances: readonly Instance[]): Cloud['members'] {
  const members = new Map<string, Ipv4[]>()
  for (const { groups, privateAddress, publicAddress } of instances) {
    for (const group of groups) {
      const known = members.get(group) ?? []
      known.push(privateAddress, ...(publicAddress ? [publicAddress] : []))
      members.set(group, known)
    }
  }
  return new Map([...members].map(([group, addresses]) => [group, sorted(addresses)]))
}

/** Each once. */
export function sorted(addresses: readonly Ipv4[]): readonly Ipv4[] {
  const numbered = [...new Set(addresses)].map((address) => ({ address, number: toNumber(address) }))
  return numbered.sort((a, b) => a.number - b.number).map(({ address }) => address)
}

/** Sorted addresses and one more, which may be among them. */
export function withAddress(addresses: readonly Ipv4[], address: Ipv4): readonly Ipv4[] {
  const number = toNumber(address)
  let low = 0
  for (let high = addresses.length; low < high; ) {
    const middle = (low + high) >>> 1
    const there = addresses[middle]
    if (there !== undefined && toNumber(there) < number) low = middle + 1
    else high = middle
  }
  return addresses[low] === address ? addresses : addresses.toSpliced(low, 0, address)
}
