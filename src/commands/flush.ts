/**
 * `edgepush flush`: takes everything of ours from nodes, also from one that no view knows any more. With --dynamic the
 * skeleton stays: chains and the jumps to them, with nothing in them. A view is only needed where there never was a bundle
 * of ours: its pool says which addresses the original may have left.
 */

import { compileRemains } from '../bundle/compile.ts'
import type { Configuration } from '../config/configuration.ts'
import type { InventoryNode } from '../config/inventory.ts'
import { packageTemplates } from '../config/templates.ts'
import { type ExitCode, Unfit } from '../error.ts'
import { MODES } from '../modes/index.ts'
import { dutyOf, type Mode } from '../modes/mode.ts'
import { resolveOptions } from '../modes/settings.ts'
import { flushing } from '../run/take-over.ts'
import { fetchView } from '../view/source/fetch-view.ts'
import type { View } from '../view/view.ts'
import { chosenNodes } from './chosen.ts'
import type { Context, ViewFlags } from './context.ts'
import { fleetRun } from './fleet-run.ts'
import { configure, readSourced } from './gather.ts'
import { singleStage } from './single-stage.ts'
import { stageOf, stagesOf, windowOf } from './stage-safety.ts'

export interface FlushFlags extends ViewFlags {
  readonly dynamic: boolean
}

export async function flush(playbook: string | undefined, flags: FlushFlags, context: Context): Promise<ExitCode> {
  const configuration = configure(flags, playbook, context)
  const { inventory } = configuration
  const view = await readNamedView(flags, configuration, context)
  const kind = flags.dynamic ? 'skeleton' : 'flushed'
  const templates = packageTemplates()
  const nodes = chosenNodes(inventory, flags, context)
  const targeted = stagesOf(nodes, configuration, context)
  const tasks = nodes.map((node) => ({
    ...node,
    serve: flushing({
      templates,
      safety: windowOf(stageOf(node, targeted)),
      bundleFor: ({ facts, conf, holding }) => {
        const mode = servingMode(node, [holding?.mode, view?.mode, conf.VNET_MODE?.value])
        const { options, defects } = resolveOptions(dutyOf(mode, node.role).options, node.options, conf)
        if (defects.length > 0) throw new Unfit(defects.join('; '))
        return compileRemains({ view, mode, node: { ...node, options }, facts, templates, kind })
      },
    }),
  }))
  const stages = singleStage('flush', tasks, flags)
  return await fleetRun(
    { command: 'flush', cloud: inventory.cloud, view: undefined, stages, json: flags.json },
    context,
  )
}

async function readNamedView(
  flags: FlushFlags,
  configuration: Configuration,
  context: Context,
): Promise<View | undefined> {
  if (flags.view === undefined) return undefined
  const sourced = await fetchView({ kind: 'file', file: flags.view }, context.transport)
  return readSourced(sourced, flags, configuration, context).view
}

/** The mode of the first to say one: what the node holds, the view, the node's own configuration; or the only one there is. */
function servingMode({ role }: InventoryNode, said: readonly (string | undefined)[]): Mode {
  const modes = MODES.filter(({ duties }) => duties[role])
  const [only, second] = modes
  const name = said.find((one) => one !== undefined)
  const mode = second ? modes.find((one) => one.name === name) : only
  if (mode) return mode
  const known = modes.map((one) => one.name).join(', ') || 'none'
  if (name !== undefined) throw new Unfit(`mode ${name} asks nothing of a ${role}; these do: ${known}`)
  throw new Unfit(`nothing says of which mode it is (${known}): say it with a view, --view FILE`)
}
