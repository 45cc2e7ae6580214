/** What is watched, by the files of this moment: who the nodes are, in which stages, and where the view comes from. */

import type { Configuration } from '../config/configuration.ts'
import { type StageNodes, selectStages } from '../config/select.ts'
import { Refusal } from '../error.ts'
import { historyOf } from '../record/history.ts'
import type { ViewSource } from '../view/source/fetch-view.ts'
import type { Context, ViewFlags } from './context.ts'
import { configure, sourceOf } from './gather.ts'

export interface WatchPlan {
  readonly configuration: Configuration
  readonly chosen: readonly StageNodes[]
  readonly source: ViewSource
}

export function planWatch(playbook: string | undefined, flags: ViewFlags, context: Context): WatchPlan {
  const configuration = configure(flags, playbook, context)
  const { inventory, playbook: plan } = configuration
  const chosen = selectStages(inventory, plan, flags, historyOf(context.stateFolder, inventory.cloud))
  return { configuration, chosen, source: sourceOf(flags, plan.source) }
}

/** Undefined where the files cannot be taken as they are now; that is told. */
export function planAnew(playbook: string | undefined, flags: ViewFlags, context: Context): WatchPlan | undefined {
  try {
    return planWatch(playbook, flags, context)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    context.terminal.err(`${error.message}\nnot read again: what was read before stays in force\n`)
    return undefined
  }
}
