/** What each alias of a document repeats; the yaml package looks for it anew, in the whole document, for each of them. */

import { type Alias, isNode, type Node, visit, type Document as YamlDocument } from 'yaml'
import type { TextDefect } from './defect.ts'

export interface Aliases {
  readonly targets: ReadonlyMap<Node, Node>
  /** Aliases that lead nowhere, or into themselves. */
  readonly defects: readonly TextDefect[]
  /** Where nested aliases have grown largest: an alias can only repeat what stands before it. */
  readonly last: Alias | undefined
}

export function resolveAliases(document: YamlDocument): Aliases {
  const anchors = new Map<string, Node>()
  const targets = new Map<Node, Node>()
  const defects: TextDefect[] = []
  let last: Alias | undefined
  visit(document, {
    Value(_, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node)
    },
    Alias(_, alias, ancestors) {
      last = alias
      const offset = alias.range?.[0] ?? 0
      const target = anchors.get(alias.source)
      if (!target) defects.push({ offset, problem: `no anchor &${alias.source} stands before this alias` })
      else if (ancestors.some((ancestor) => isNode(ancestor) && ancestor === target))
        defects.push({ offset, problem: `alias *${alias.source} stands inside what it repeats` })
      else targets.set(alias, target)
    },
  })
  return { targets, defects, last }
}
