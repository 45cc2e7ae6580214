/**
 * Whether a view would take the connections away over which its nodes are served: a node answers for the elastic
 * addresses of its instances, and sends on what comes to them.
 *
 * Only addresses count, also those that OpenSSH's configuration has for a name. Names are not looked up: an answer of a
 * moment says nothing of the next.
 */

import type { InventoryNode } from '../config/inventory.ts'
import { parseHop } from '../node/hop.ts'
import type { Target } from '../node/transport.ts'
import type { Doubt } from '../run/guard.ts'
import type { View } from '../view/view.ts'

/** An address by which others reach this host. */
export interface OwnAddress {
  readonly address: string
  /** It has no network around it: /32. */
  readonly isLone: boolean
}

/** By node: itself and its jump hosts. */
export type Ways = ReadonlyMap<string, readonly Pick<Target, 'name' | 'host'>[]>

export function doubtPath(
  { instances, clusters }: Pick<View, 'instances' | 'clusters'>,
  all: readonly InventoryNode[],
  own: readonly OwnAddress[],
  ways: Ways,
): readonly Doubt[] {
  const nodes = clusters.flatMap((cluster) => cluster.nodes.map(({ name }) => name))
  const owners = [
    ...ownersHere(own, [...nodes, ...all.map(({ target }) => target.host)]),
    ...all.flatMap((node) => ownersThere(node, ways)),
  ]
  const elastic = new Map(instances.map(({ id, publicAddress = '' }) => [publicAddress, id]))
  elastic.delete('')
  const saws = owners.flatMap(({ address, owner }) => {
    const id = elastic.get(address)
    if (id === undefined) return []
    return `instance ${id} has the elastic address ${address}, which is that of ${owner}: it could not be reached any more`
  })
  return [...new Set(saws)].map((saw) => ({ guard: 'path', saw }))
}

interface Owned {
  readonly address: string
  readonly owner: string
}

/** A host that is a node, too, has the elastic addresses of its own instances, and each of them is alone. */
function ownersHere(own: readonly OwnAddress[], nodes: readonly string[]): readonly Owned[] {
  const known = new Set(nodes)
  const isNode = own.some(({ address }) => known.has(address))
  const ours = own.filter(({ isLone }) => !isLone || !isNode)
  return ours.map(({ address }) => ({ address, owner: 'this host' }))
}

function ownersThere({ name, address, target }: InventoryNode, ways: Ways): readonly Owned[] {
  const hops = (target.jump ?? []).map((word) => ({
    address: parseHop(word)?.host ?? '',
    owner: `the jump host ${word}`,
  }))
  const asked = (ways.get(name) ?? []).map((stop) => ({ address: stop.host, owner: stop.name }))
  return [{ address, owner: name }, { address: target.host, owner: name }, ...hops, ...asked]
}
