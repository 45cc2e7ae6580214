/** From a node of the inventory to the bundle it should hold, whether the node is asked or the inventory declares it. */

import { type Bundle, heldLightly } from '../bundle/bundle.ts'
import { compile } from '../bundle/compile.ts'
import type { Templates } from '../bundle/templates.ts'
import type { InventoryNode } from '../config/inventory.ts'
import { Unfit } from '../error.ts'
import { dutyOf, type Facts, type Mode } from '../modes/mode.ts'
import { resolveOptions, type Settings } from '../modes/settings.ts'
import type { Probed } from '../node/probe.ts'
import type { Goal } from '../run/push.ts'
import type { Safety } from '../run/transaction.ts'
import type { View } from '../view/view.ts'

/** What all nodes have in common. */
export interface Serving {
  readonly view: View
  readonly mode: Mode
  readonly templates: Templates
}

/** Nodes that the mode configures; the others are in the inventory for other reasons. */
export function served(nodes: readonly InventoryNode[], { mode }: Serving): readonly InventoryNode[] {
  return nodes.filter(({ role }) => mode.duties[role] !== undefined)
}

export function goalFor(node: InventoryNode, gathered: Serving, safety: Safety): Goal {
  const { templates, view } = gathered
  return { templates, version: view.version, safety, bundleFor: probedBundle(node, gathered) }
}

/** What only the node knows, of what its bundle is made of. */
export type Said = Pick<Probed, 'facts' | 'conf'> & Partial<Pick<Probed, 'holding'>>

export function probedBundle(node: InventoryNode, gathered: Serving): (said: Said) => Bundle {
  return ({ facts, conf, holding }) => {
    refuseOtherMode(gathered.mode, holding?.mode)
    const make = () => bundleOf(node, gathered, facts, conf)
    return heldLightly(make(), make)
  }
}

/** What one mode has made another does not know, so it would stay. */
export function refuseOtherMode({ name }: Mode, held: string | undefined): void {
  if (held === undefined || held === name) return
  throw new Unfit(`it holds what mode ${held} made, and the view is of ${name}: flush it first, edgepush flush`)
}

export function declaredBundle(node: InventoryNode, gathered: Serving): Bundle {
  return bundleOf(node, gathered, declaredFacts(node, gathered.mode), {})
}

function bundleOf(node: InventoryNode, { view, mode, templates }: Serving, facts: Facts, conf: Settings): Bundle {
  const { options, defects } = resolveOptions(dutyOf(mode, node.role).options, node.options, conf)
  if (defects.length > 0) throw new Unfit(defects.join('; '))
  return compile({ view, mode, node: { ...node, options }, facts, templates })
}

function declaredFacts({ name, facts, where, options, role }: InventoryNode, mode: Mode): Facts {
  const duty = dutyOf(mode, role)
  if (!facts) throw new Unfit(`${where}: ${name} has no facts in the inventory`)
  if (!facts.bridge && duty.asksFacts)
    throw new Unfit(`${where}: ${name} has no facts about its bridge in the inventory`)
  const bridge = resolveOptions(duty.options, options, {}).options.VNET_BRIDGE ?? ''
  const interfaces = facts.bridge ? { [bridge]: facts.bridge } : {}
  return facts.eucalyptusVersion === undefined
    ? { interfaces }
    : { interfaces, eucalyptusVersion: facts.eucalyptusVersion }
}
