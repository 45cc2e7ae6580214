/**
 * The bundle of a node that is asked again and again, mostly with nothing new: its digest is remembered, and its files, of
 * which nobody wants to hold thousands, are made again for whoever looks at them.
 */

import { isDeepStrictEqual } from 'node:util'
import { type Bundle, heldLightly } from '../bundle/bundle.ts'
import type { InventoryNode } from '../config/inventory.ts'
import type { View } from '../view/view.ts'
import { probedBundle, type Said, type Serving } from './node-bundle.ts'

/** What a bundle was made of, and what came of it. */
export interface Asked {
  readonly node: InventoryNode
  readonly view: View
  readonly said: Said
  /** Absent where the node cannot be served. */
  readonly digest?: string
}

export function bundleAgain(node: InventoryNode, serving: Serving, said: Said, asked: Map<string, Asked>): Bundle {
  const { view } = serving
  const { name } = node
  const make = () => probedBundle(node, serving)(said)
  const last = asked.get(name)
  if (last?.digest !== undefined && last.node === node && last.view === view && isDeepStrictEqual(last.said, said)) {
    return heldLightly({ node: name, digest: last.digest }, make)
  }
  asked.set(name, { node, view, said })
  const bundle = make()
  asked.set(name, { node, view, said, digest: bundle.digest })
  return bundle
}
