/** A view and who is to be served by it, as a run: what every push is, whoever asks for it. */

import type { Bundle } from '../bundle/bundle.ts'
import type { Configuration } from '../config/configuration.ts'
import type { InventoryNode } from '../config/inventory.ts'
import type { StageNodes } from '../config/select.ts'
import type { Probed } from '../node/probe.ts'
import { doubting } from '../run/guard.ts'
import { pushing } from '../run/push.ts'
import type { Safety } from '../run/transaction.ts'
import type { Context } from './context.ts'
import { type Fleet, stampOf } from './fleet-run.ts'
import type { Gathered } from './gather.ts'
import { doubtsOf, heedDoubts } from './heed-doubts.ts'
import { loginWays } from './login-ways.ts'
import { goalFor, served } from './node-bundle.ts'
import { doubtProbes, refuseChecks } from './stage-checks.ts'
import { safetyFor } from './stage-safety.ts'

export interface Pushing {
  readonly chosen: readonly StageNodes[]
  readonly configuration: Configuration
  readonly gathered: Gathered
}

export interface PushTerms {
  readonly forks: number | undefined
  /** Milliseconds in which a person confirms. */
  readonly confirmWindow: number | undefined
  /** Names of guards. */
  readonly force: readonly string[]
}

/** Nobody is asked for what cannot be verified, or what somebody has to doubt. */
export async function heedPush(
  { chosen, configuration, gathered }: Pushing,
  force: readonly string[],
  context: Context,
): Promise<void> {
  refuseChecks(chosen, gathered)
  const nodes = chosen.flatMap((stage) => stage.nodes)
  const ways = await loginWays(nodes, context)
  const doubts = [...doubtsOf(gathered, configuration, nodes, context, ways), ...doubtProbes(chosen, gathered)]
  heedDoubts(doubts, force, context)
}

/** `bundleFor` knows bundles that need not be made anew. */
export function pushFleet(
  { chosen, configuration: { inventory, playbook }, gathered }: Pushing,
  terms: PushTerms,
  bundleFor?: (node: InventoryNode, probed: Probed) => Bundle,
): Omit<Fleet, 'command'> {
  const { forks, force } = terms
  const stages = chosen.map(({ stage, nodes }) => ({
    ...stage,
    parallel: forks ?? stage.parallel,
    tasks: served(nodes, gathered).map((node) => {
      const goal = goalFor(node, gathered, heldSafely(safetyFor(node, stage, gathered), terms))
      const known = bundleFor && { bundleFor: (probed: Probed) => bundleFor(node, probed) }
      return { ...node, serve: pushing({ ...goal, ...known }) }
    }),
  }))
  const all = served(inventory.nodes, gathered).length
  const { leftOut } = gathered
  const doubts = doubting(all, playbook.limits, force)
  return { cloud: inventory.cloud, view: stampOf(gathered), stages, leftOut, doubting: doubts }
}

function heldSafely(safety: Safety, { confirmWindow }: PushTerms): Safety {
  return confirmWindow === undefined ? safety : { ...safety, window: confirmWindow, hold: true }
}
