/** A view is served only as far as nobody has to doubt it, or somebody says that it is meant. */

import type { Configuration } from '../config/configuration.ts'
import type { InventoryNode } from '../config/inventory.ts'
import { readRecord } from '../record/record.ts'
import { type Doubt, refuseDoubts } from '../run/guard.ts'
import type { Context } from './context.ts'
import { doubtPath, type Ways } from './doubt-path.ts'
import { doubtAge, doubtControllers, doubtMissing, doubtMode, doubtUnknown, doubtVersion } from './doubt-view.ts'
import { stampOf } from './fleet-run.ts'
import type { Gathered } from './gather.ts'
import { served } from './node-bundle.ts'

/** `chosen` are the nodes that a command is about, `ways` those to them as far as they have been asked for. */
export function doubtsOf(
  gathered: Gathered,
  { inventory, playbook }: Configuration,
  chosen: readonly InventoryNode[],
  { clock, stateFolder, ownAddresses }: Context,
  ways: Ways = new Map(),
): readonly Doubt[] {
  const { view, sourced } = gathered
  const record = readRecord(stateFolder, inventory.cloud)
  const names = new Set(chosen.map(({ name }) => name))
  const theirs = new Map([...record].filter(([node]) => names.has(node)))
  return [
    ...doubtAge(sourced, playbook.maxAge, clock()),
    ...doubtMode(view, theirs),
    ...(playbook.partial ? [] : doubtMissing(view, inventory.nodes)),
    ...(playbook.partial ? [] : doubtControllers(view, inventory.nodes, gathered.mode)),
    ...doubtUnknown(view, served(chosen, gathered)),
    ...doubtPath(view, inventory.nodes, ownAddresses, ways),
    ...doubtVersion(stampOf(gathered), record),
  ]
}

/** For a command that changes nothing. */
export function warnOf(doubts: readonly Doubt[], { terminal }: Context): void {
  for (const { saw } of doubts) terminal.err(`warning: ${saw}\n`)
}

/** For one that changes nodes: what was forced is still said. */
export function heedDoubts(doubts: readonly Doubt[], forced: readonly string[], context: Context): void {
  refuseDoubts(doubts, forced)
  warnOf(doubts, context)
}
