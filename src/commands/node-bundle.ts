/** From a node of the inventory to the bundle it should hold, whether the node is asked or the inventory declares it. */

import type { Bundle } from '../bundle/bundle.ts'
import { compile } from '../bundle/compile.ts'
import type { Templates } from '../bundle/templates.ts'
import type { InventoryNode } from '../config/inventory.ts'
import { Unfit } from '../error.ts'
import type { Facts, Mode } from '../modes/mode.ts'
import { resolveOptions, type Settings } from '../modes/settings.ts'
import type { Probed } from '../node/probe.ts'
import type { Goal } from '../run/push.ts'
import { SAFETY, type Safety } from '../run/transaction.ts'
import type { View } from '../view/view.ts'

/** What all nodes have in common. */
export interface Serving {
  readonly view: View
  readonly mode: Mode
  readonly templates: Templates
}

/** Nodes that the mode configures; the others are in the inventory for other reasons. */
export function served(nodes: readonly InventoryNode[], { mode }: Serving): readonly InventoryNode[] {
  return nodes.filter(({ role }) => mode.roles.includes(role))
}

export function goalFor(node: InventoryNode, gathered: Serving, safety: Safety = SAFETY): Goal {
  const { templates, view } = gathered
  return { templates, version: view.version, safety, bundleFor: probedBundle(node, gathered) }
}

/** What only the node knows, of what its bundle is made of. */
export type Said = Pick<Probed, 'facts' | 'conf'>

export function probedBundle(node: InventoryNode, gathered: Serving): (said: Said) => Bundle {
  return ({ facts, conf }) => bundleOf(node, gathered, facts, conf)
}

export function declaredBundle(node: InventoryNode, gathered: Serving): Bundle {
  return bundleOf(node, gathered, declaredFacts(node, gathered.mode), {})
}

function bundleOf(node: InventoryNode, { view, mode, templates }: Serving, facts: Facts, conf: Settings): Bundle {
  const { options, defects } = resolveOptions(mode.options, node.options, conf)
  if (defects.length > 0) throw new Unfit(defects.join('; '))
  return compile({ view, mode, node: { ...node, options }, facts, templates })
}

function declaredFacts({ name, facts, where, options }: InventoryNode, mode: Mode): Facts {
  if (!facts) throw new Unfit(`${where}: ${name} has no facts in the inventory`)
  const bridge = resolveOptions(mode.options, options, {}).options.VNET_BRIDGE ?? ''
  const interfaces = { [bridge]: facts.bridge }
  return facts.eucalyptusVersion === undefined
    ? { interfaces }
    : { interfaces, eucalyptusVersion: facts.eucalyptusVersion }
}
