/**
 * `edgepush flush`: takes everything of ours from nodes, also from one that no view knows any more. With --dynamic the
 * skeleton stays: chains and the jumps to them, with nothing in them. A view is only needed where there never was a bundle
 * of ours: its pool says which addresses the original may have left.
 */

import { compileRemains } from '../bundle/compile.ts'
import { selectNodes } from '../config/select.ts'
import { packageTemplates } from '../config/templates.ts'
import { type ExitCode, Unfit } from '../error.ts'
import { MODES } from '../modes/index.ts'
import { resolveOptions } from '../modes/settings.ts'
import { flushing } from '../run/take-over.ts'
import { readView } from '../view/parse.ts'
import { fetchView } from '../view/source/fetch-view.ts'
import type { View } from '../view/view.ts'
import type { Context, ViewFlags } from './context.ts'
import { fleetRun } from './fleet-run.ts'
import { configure } from './gather.ts'
import { singleStage } from './single-stage.ts'

export interface FlushFlags extends ViewFlags {
  readonly dynamic: boolean
}

export async function flush(playbook: string | undefined, flags: FlushFlags, context: Context): Promise<ExitCode> {
  const { inventory } = configure(flags, playbook, context)
  const view = flags.view === undefined ? undefined : await readNamedView(flags.view, context)
  const kind = flags.dynamic ? 'skeleton' : 'flushed'
  const templates = packageTemplates()
  const tasks = selectNodes(inventory, flags).flatMap((node) =>
    MODES.filter(({ roles }) => roles.includes(node.role)).map((mode) => ({
      ...node,
      serve: flushing({
        templates,
        bundleFor: ({ facts, conf }) => {
          const { options, defects } = resolveOptions(mode.options, node.options, conf)
          if (defects.length > 0) throw new Unfit(defects.join('; '))
          return compileRemains({ view, mode, node: { ...node, options }, facts, templates, kind })
        },
      }),
    })),
  )
  const stages = singleStage('flush', tasks, flags)
  return await fleetRun(
    { command: 'flush', cloud: inventory.cloud, view: undefined, stages, json: flags.json },
    context,
  )
}

async function readNamedView(file: string, { transport }: Context): Promise<View> {
  const { text, origin } = await fetchView({ kind: 'file', file }, transport)
  return readView(text, origin).view
}
