/** `edgepush push`: brings the nodes to what the view says, and tells what became of each. */

import { createHash, randomBytes } from 'node:crypto'
import { selectStages } from '../config/select.ts'
import type { ExitCode } from '../error.ts'
import { openRecord, readRecord } from '../record/record.ts'
import { eventStream } from '../report/event-stream.ts'
import { outcomesReport } from '../report/outcomes.ts'
import { progress } from '../report/progress.ts'
import type { Listener, ViewStamp } from '../run/event.ts'
import { exitCode, type Outcome } from '../run/outcome.ts'
import { type RunStage, runStages } from '../run/run-stages.ts'
import type { SourcedView } from '../view/source/fetch-view.ts'
import type { View } from '../view/view.ts'
import type { Context, ViewFlags } from './context.ts'
import { doubtVersion } from './doubt-view.ts'
import { configure, type Gathered, gather } from './gather.ts'
import { probedBundle, served } from './node-bundle.ts'

export async function push(playbook: string | undefined, flags: ViewFlags, context: Context): Promise<ExitCode> {
  const configuration = configure(flags, playbook, context)
  const chosen = selectStages(configuration.inventory, configuration.playbook, flags)
  const gathered = await gather(flags, configuration, context)
  const stages = chosen.map(({ stage, nodes }): RunStage => {
    const tasks = served(nodes, gathered).map((node) => ({
      name: node.name,
      target: node.target,
      bundleFor: probedBundle(node, gathered),
    }))
    return { ...stage, parallel: flags.forks ?? stage.parallel, tasks }
  })

  const { cloud } = configuration.inventory
  const view = stampOf(gathered.sourced, gathered.view)
  for (const line of doubtVersion(view, readRecord(context.stateFolder, cloud)))
    context.terminal.err(`warning: ${line}\n`)
  const run = runId(context.clock())
  const record = openRecord(context.stateFolder, cloud, run, view)
  const screen = flags.json ? eventStream(context, 'push') : progress(context.terminal)
  const tell: Listener = (event) => {
    record.tell(event, context.clock())
    context.log(event)
    screen(event)
  }

  try {
    const nodes = stages.flatMap(({ tasks }) => tasks.map(({ name }) => name))
    tell({
      type: 'run-started',
      run,
      cloud,
      view,
      nodes,
      ...(gathered.leftOut > 0 ? { leftOut: gathered.leftOut } : {}),
    })
    const outcomes = await runStages(stages, meansOf(gathered, context), context.signal, tell)
    const code = exitCode(outcomes)
    tell({ type: 'run-finished', exitCode: code, counts: countsOf(outcomes) })
    if (!flags.json) context.terminal.out(outcomesReport(outcomes, context.terminal))
    return code
  } finally {
    record.close()
  }
}

function meansOf({ templates }: Gathered, { transport }: Context) {
  return { transport, templates, now: () => performance.now() }
}

function stampOf({ origin, text }: SourcedView, { version }: View): ViewStamp {
  return { origin, version, digest: createHash('sha256').update(text).digest('hex') }
}

/** Sorts by time, and two runs of one second still differ. */
function runId(time: Date): string {
  return `${time.toISOString().replace(/[-:]|\..*/g, '')}Z-${randomBytes(3).toString('hex')}`
}

function countsOf(outcomes: readonly Outcome[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
