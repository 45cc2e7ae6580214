/**
 * `edgepush confirm`, `abort` and `extend`: what a person says of a commit whose window is open. The nodes know what it
 * is about; the record only tells which nodes to ask, and when it knows of none that may wait, all are asked.
 */

import type { ExitCode } from '../error.ts'
import { historyOf } from '../record/history.ts'
import { settling, type Word } from '../run/settle.ts'
import { chosenNodes } from './chosen.ts'
import type { Context, NodeFlags } from './context.ts'
import { fleetRun } from './fleet-run.ts'
import { configure } from './gather.ts'
import { singleStage } from './single-stage.ts'

export interface SettleFlags extends NodeFlags {
  readonly forks: number | undefined
}

export async function settle(
  run: string,
  word: Word,
  playbook: string | undefined,
  flags: SettleFlags,
  context: Context,
): Promise<ExitCode> {
  const { inventory } = configure(flags, playbook, context)
  const { cloud } = inventory
  const selected = chosenNodes(inventory, flags, context)
  const history = historyOf(context.stateFolder, cloud)
  const open = (history.runs().includes(run) && history.run(run)?.open) || []
  const waiting = selected.filter(({ name }) => open.includes(name))
  const nodes = waiting.length > 0 ? waiting : selected
  const stages = singleStage(
    word.verb,
    nodes.map((node) => ({ ...node, serve: settling(run, word) })),
    flags,
  )
  const aim = word.verb === 'abort' ? 'rolled-back' : undefined
  return await fleetRun(
    { command: word.verb, cloud, view: undefined, stages, json: flags.json, aim, beside: true },
    context,
  )
}
