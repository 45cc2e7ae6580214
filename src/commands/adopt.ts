/** `edgepush adopt`: takes nodes over from eucanetd, one that agrees with the view without changing anything. */

import type { ExitCode } from '../error.ts'
import { adopting } from '../run/take-over.ts'
import { free, keep } from './allocation.ts'
import { chosenNodes } from './chosen.ts'
import type { Context, ViewFlags } from './context.ts'
import { fleetRun, stampOf } from './fleet-run.ts'
import { configure, gather } from './gather.ts'
import { doubtsOf, heedDoubts } from './heed-doubts.ts'
import { loginWays } from './login-ways.ts'
import { goalFor, served } from './node-bundle.ts'
import { singleStage } from './single-stage.ts'
import { doubtProbes, refuseChecks } from './stage-checks.ts'
import { safetyFor, stageOf, stagesOf } from './stage-safety.ts'

export interface AdoptFlags extends ViewFlags {
  /** Names of guards. */
  readonly force: readonly string[]
}

export async function adopt(playbook: string | undefined, flags: AdoptFlags, context: Context): Promise<ExitCode> {
  const configuration = configure(flags, playbook, context)
  const nodes = chosenNodes(configuration.inventory, flags, context)
  const gathered = await gather(flags, configuration, context)
  const targeted = stagesOf(nodes, configuration, context)
  refuseChecks(targeted, gathered)
  const ways = await loginWays(nodes, context)
  const doubts = [...doubtsOf(gathered, configuration, nodes, context, ways), ...doubtProbes(targeted, gathered)]
  heedDoubts(doubts, flags.force, context)
  const allocated = keep(gathered.allocated, context)
  const tasks = served(nodes, gathered).map((node) => {
    const goal = goalFor(node, gathered, safetyFor(node, stageOf(node, targeted), gathered))
    return { ...node, serve: adopting(goal, flags.force.includes('difference')) }
  })
  const { cloud } = configuration.inventory
  const stages = singleStage('adopt', tasks, flags)
  const { leftOut } = gathered
  const code = await fleetRun(
    { command: 'adopt', cloud, view: stampOf(gathered), stages, json: flags.json, leftOut },
    context,
  )
  free(allocated, code, context)
  return code
}
