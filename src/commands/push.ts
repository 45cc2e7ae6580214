/** `edgepush push`: brings the nodes to what the view says, and tells what became of each. */

import { type StageNodes, selectStages } from '../config/select.ts'
import type { Stage } from '../config/stage.ts'
import { EXIT, type ExitCode, Refusal } from '../error.ts'
import { historyOf } from '../record/history.ts'
import { doubtProspects, type Prospect } from '../run/guard.ts'
import { pushing } from '../run/push.ts'
import { SAFETY, type Safety } from '../run/transaction.ts'
import type { Context, ViewFlags } from './context.ts'
import { fleetRun, stampOf } from './fleet-run.ts'
import { configure, gather } from './gather.ts'
import { doubtsOf, heedDoubts } from './heed-doubts.ts'
import { goalFor, served } from './node-bundle.ts'
import { checksFor, doubtProbes, refuseChecks } from './stage-checks.ts'

export interface PushFlags extends ViewFlags {
  /** Milliseconds in which a person confirms. */
  readonly confirmWindow: number | undefined
  /** Names of guards. */
  readonly force: readonly string[]
}

export async function push(playbook: string | undefined, flags: PushFlags, context: Context): Promise<ExitCode> {
  const configuration = configure(flags, playbook, context)
  const { inventory, playbook: plan } = configuration
  const chosen = selectStages(inventory, plan, flags, historyOf(context.stateFolder, inventory.cloud))
  refuseShortWindow(chosen, flags)
  const gathered = await gather(flags, configuration, context)
  refuseChecks(chosen, gathered)
  const nodes = chosen.flatMap((stage) => stage.nodes)
  const warnings = doubtProbes(chosen, gathered).map((saw) => ({ guard: undefined, saw }))
  heedDoubts([...doubtsOf(gathered, configuration, nodes, context), ...warnings], flags.force, context)
  const stages = chosen.map(({ stage, nodes }) => ({
    ...stage,
    parallel: flags.forks ?? stage.parallel,
    tasks: served(nodes, gathered).map((node) => ({
      ...node,
      serve: pushing(
        goalFor(node, gathered, { ...safetyOf(stage, flags), checks: checksFor(node, stage.checks, gathered) }),
      ),
    })),
  }))
  const { cloud } = inventory
  const view = stampOf(gathered)
  const { leftOut } = gathered
  const all = served(inventory.nodes, gathered).length
  const doubt = (prospects: readonly Prospect[]) => doubtProspects(prospects, all, plan.limits, flags.force)
  return await fleetRun({ command: 'push', cloud, view, stages, json: flags.json, leftOut, doubt }, context)
}

/** The playbook's own windows are long enough. */
function refuseShortWindow(
  chosen: readonly StageNodes[],
  { confirmWindow = Number.POSITIVE_INFINITY }: PushFlags,
): void {
  const slow = chosen.flatMap(({ stage }) => stage.checks).find(({ timeout }) => timeout >= confirmWindow)
  if (slow)
    throw new Refusal(EXIT.usage, `--confirm-window must be longer than the timeout of the check at ${slow.where}`)
}

function safetyOf({ window, reconnect = SAFETY.reconnect }: Stage, { confirmWindow }: PushFlags): Safety {
  return { ...SAFETY, reconnect, window: confirmWindow ?? window, hold: confirmWindow !== undefined }
}
