import type { Inventory, InventoryNode } from '../config/inventory.ts'
import { type Narrowing, selectNodes } from '../config/select.ts'
import { EXIT, Refusal } from '../error.ts'
import { NotTrusted } from '../node/transport.ts'
import { historyOf } from '../record/history.ts'
import type { Context } from './context.ts'

/** The nodes that a command is about; words such as `@failed` are asked of the record. */
export function chosenNodes(
  inventory: Inventory,
  flags: Narrowing,
  { stateFolder }: Context,
): readonly InventoryNode[] {
  return selectNodes(inventory, flags, historyOf(stateFolder, inventory.cloud))
}

/** With what their inventory leaves to OpenSSH's configuration, for commands that say of a login what it is. */
export async function completed(
  nodes: readonly InventoryNode[],
  { hosts }: Context,
): Promise<readonly InventoryNode[]> {
  try {
    return await Promise.all(nodes.map(async (node) => ({ ...node, target: await hosts.complete(node.target) })))
  } catch (error) {
    if (!(error instanceof NotTrusted)) throw error
    throw new Refusal(EXIT.noPermission, error.message, error.next)
  }
}
