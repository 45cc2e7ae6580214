/** How sure a run makes itself of a node: as the first stage of the playbook says that targets it, whatever the command is. */

import type { Configuration } from '../config/configuration.ts'
import type { InventoryNode } from '../config/inventory.ts'
import { type StageNodes, selectStages } from '../config/select.ts'
import type { Stage } from '../config/stage.ts'
import { historyOf } from '../record/history.ts'
import { SAFETY, type Safety } from '../run/transaction.ts'
import type { Context } from './context.ts'
import type { Serving } from './node-bundle.ts'
import { checksFor } from './stage-checks.ts'

/** For a node that is not to be served any more: checks are about what is. */
export function windowOf(stage: Stage | undefined): Safety {
  if (!stage) return SAFETY
  const { window, reconnect = SAFETY.reconnect } = stage
  return { ...SAFETY, window, reconnect }
}

export function safetyFor(node: InventoryNode, stage: Stage | undefined, serving: Serving): Safety {
  return { ...windowOf(stage), checks: checksFor(node, stage?.checks ?? [], serving) }
}

/** The stages of nodes that are served all at once; a node that none of them targets is in none. */
export function stagesOf(
  nodes: readonly InventoryNode[],
  { inventory, playbook }: Configuration,
  { stateFolder }: Context,
): readonly StageNodes[] {
  const everybody = { node: [], limit: undefined }
  const wanted = new Set(nodes.map(({ name }) => name))
  return selectStages(inventory, playbook, everybody, historyOf(stateFolder, inventory.cloud))
    .map(({ stage, nodes: targets }) => ({ stage, nodes: targets.filter(({ name }) => wanted.has(name)) }))
    .filter((one) => one.nodes.length > 0)
}

export function stageOf({ name }: InventoryNode, stages: readonly StageNodes[]): Stage | undefined {
  return stages.find(({ nodes }) => nodes.some((node) => node.name === name))?.stage
}
