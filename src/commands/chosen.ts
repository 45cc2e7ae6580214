import type { Inventory, InventoryNode } from '../config/inventory.ts'
import { type Narrowing, selectNodes } from '../config/select.ts'
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
