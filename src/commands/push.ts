/** `edgepush push`: brings the nodes to what the view says, and tells what became of each. */

import { selectStages } from '../config/select.ts'
import type { ExitCode } from '../error.ts'
import { readRecord } from '../record/record.ts'
import { pushing } from '../run/push.ts'
import type { Context, ViewFlags } from './context.ts'
import { doubtVersion } from './doubt-view.ts'
import { fleetRun, stampOf } from './fleet-run.ts'
import { configure, gather } from './gather.ts'
import { goalFor, served } from './node-bundle.ts'

export async function push(playbook: string | undefined, flags: ViewFlags, context: Context): Promise<ExitCode> {
  const configuration = configure(flags, playbook, context)
  const chosen = selectStages(configuration.inventory, configuration.playbook, flags)
  const gathered = await gather(flags, configuration, context)
  const stages = chosen.map(({ stage, nodes }) => ({
    ...stage,
    parallel: flags.forks ?? stage.parallel,
    tasks: served(nodes, gathered).map((node) => ({ ...node, serve: pushing(goalFor(node, gathered)) })),
  }))
  const { cloud } = configuration.inventory
  const view = stampOf(gathered)
  for (const line of doubtVersion(view, readRecord(context.stateFolder, cloud)))
    context.terminal.err(`warning: ${line}\n`)
  const { leftOut } = gathered
  return await fleetRun({ command: 'push', cloud, view, stages, json: flags.json, leftOut }, context)
}
