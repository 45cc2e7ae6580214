/** `edgepush push`: brings the nodes to what the view says, and tells what became of each. */

import { type StageNodes, selectStages } from '../config/select.ts'
import { EXIT, type ExitCode, Refusal } from '../error.ts'
import { historyOf } from '../record/history.ts'
import { free, keep } from './allocation.ts'
import type { Context, ViewFlags } from './context.ts'
import { fleetRun } from './fleet-run.ts'
import { configure, gather } from './gather.ts'
import { heedPush, type PushTerms, pushFleet } from './push-fleet.ts'

export type PushFlags = ViewFlags & PushTerms

export async function push(playbook: string | undefined, flags: PushFlags, context: Context): Promise<ExitCode> {
  const configuration = configure(flags, playbook, context)
  const { inventory, playbook: plan } = configuration
  const chosen = selectStages(inventory, plan, flags, historyOf(context.stateFolder, inventory.cloud))
  refuseShortWindow(chosen, flags)
  const gathered = await gather(flags, configuration, context)
  const pushing = { chosen, configuration, gathered }
  await heedPush(pushing, flags.force, context)
  const allocated = keep(gathered.allocated, context)
  const code = await fleetRun({ command: 'push', ...pushFleet(pushing, flags), json: flags.json }, context)
  // What waits for a person may still be taken back.
  if (flags.confirmWindow === undefined) free(allocated, code, context)
  return code
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
