/** Finding the place of a value in a parsed document, fast enough to ask for every value of a large inventory. */

import { isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml'
import type { KeyPath } from './defect.ts'

export interface Spot {
  /** Absent for the entries of a list and for the whole document. */
  readonly key: Node | undefined
  /** Never an alias, but what it repeats. */
  readonly value: Node | undefined
  /** As it stands there: possibly an alias. */
  readonly node: Node | undefined
}

/** The spot of a path, or of the nearest parent that is there. */
export function spotFinder(root: Node | undefined, aliases: ReadonlyMap<Node, Node>): (path: KeyPath) => Spot {
  const indexes = new Map<Node, ReadonlyMap<string, Pair<Node, Node | null>>>()

  function toSpot(key: Node | undefined, node: Node | undefined): Spot {
    return { key, node, value: node && (aliases.get(node) ?? node) }
  }

  function childOf(parent: Node | undefined, step: string | number): Spot | undefined {
    if (isSeq<Node>(parent)) {
      const item = parent.items[Number(step)]
      return item && toSpot(undefined, item)
    }
    if (!isMap<Node, Node | null>(parent)) return undefined
    const index = indexes.get(parent) ?? indexOf(parent)
    indexes.set(parent, index)
    const pair = index.get(String(step))
    return pair && toSpot(pair.key, pair.value ?? undefined)
  }

  return (path) => {
    let spot = toSpot(undefined, root)
    for (const step of path) {
      const child = childOf(spot.value, step)
      if (!child) return spot
      spot = child
    }
    return spot
  }
}

export function keyText(key: Node): string {
  return isScalar(key) ? String(key.value) : ''
}

function indexOf(map: YAMLMap<Node, Node | null>): ReadonlyMap<string, Pair<Node, Node | null>> {
  return new Map(map.items.map((pair) => [keyText(pair.key), pair]))
}
