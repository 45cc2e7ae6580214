/** A view and who is to be served by it, as a run: what every push is, whoever asks for it. */

import type { Bundle } from '../bundle/bundle.ts'
import type { Configuration } from '../config/configuration.ts'
import type { InventoryNode } from '../config/inventory.ts'
import type { StageNodes } from '../config/select.ts'
import type { Stage } from '../config/stage.ts'
import type { Probed } from '../node/probe.ts'
import { doubting } from '../run/guard.ts'
import { pushing } from '../run/push.ts'
import { SAFETY, type Safety } from '../run/transaction.ts'
import type { Context } from './context.ts'
import { type Fleet, stampOf } from './fleet-run.ts'
import type { Gathered } from './gather.ts'
import { doubtsOf, heedDoubts } from './heed-doubts.ts'
import { goalFor, served } from './node-bundle.ts'
import { checksFor, doubtProbes, refuseChecks } from './stage-checks.ts'

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
export function heedPush({ chosen, configuration, gathered }: Pushing, force: readonly string[], context: Context) {
  refuseChecks(chosen, gathered)
  const nodes = chosen.flatMap((stage) => stage.nodes)
  const warnings = doubtProbes(chosen, gathered).map((saw) => ({ guard: undefined, saw }))
  heedDoubts([...doubtsOf(gathered, configuration, nodes, context), ...warnings], force, context)
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
      const safety = { ...safetyOf(stage, terms), checks: checksFor(node, stage.checks, gathered) }
      const goal = goalFor(node, gathered, safety)
      const known = bundleFor && { bundleFor: (probed: Probed) => bundleFor(node, probed) }
      return { ...node, serve: pushing({ ...goal, ...known }) }
    }),
  }))
  const all = served(inventory.nodes, gathered).length
  const { leftOut } = gathered
  const doubts = doubting(all, playbook.limits, force)
  return { cloud: inventory.cloud, view: stampOf(gathered), stages, leftOut, doubting: doubts }
}

function safetyOf({ window, reconnect = SAFETY.reconnect }: Stage, { confirmWindow }: PushTerms): Safety {
  return { ...SAFETY, reconnect, window: confirmWindow ?? window, hold: confirmWindow !== undefined }
}
