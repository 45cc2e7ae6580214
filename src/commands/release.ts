/** `edgepush release`: gives nodes back to eucanetd, with everything as it is. Needs no view. */

import { packageTemplates } from '../config/templates.ts'
import type { ExitCode } from '../error.ts'
import { releasing } from '../run/take-over.ts'
import { chosenNodes } from './chosen.ts'
import type { Context, NodeFlags } from './context.ts'
import { fleetRun } from './fleet-run.ts'
import { configure } from './gather.ts'
import { singleStage } from './single-stage.ts'

export interface ReleaseFlags extends NodeFlags {
  readonly forks: number | undefined
}

export async function release(playbook: string | undefined, flags: ReleaseFlags, context: Context): Promise<ExitCode> {
  const { inventory } = configure(flags, playbook, context)
  const serve = releasing({ templates: packageTemplates() })
  const tasks = chosenNodes(inventory, flags, context).map((node) => ({ ...node, serve }))
  const stages = singleStage('release', tasks, flags)
  return await fleetRun(
    { command: 'release', cloud: inventory.cloud, view: undefined, stages, json: flags.json },
    context,
  )
}
