/** A run over nodes, whatever a command does with them: recorded, shown, and summed up in an exit code. */

import { createHash, randomBytes } from 'node:crypto'
import { type ExitCode, Refusal } from '../error.ts'
import { pruneRuns } from '../record/prune.ts'
import { openRecord, type Record as RunRecord } from '../record/record.ts'
import { eventStream } from '../report/event-stream.ts'
import { flippedText } from '../report/flipped.ts'
import { outcomesReport } from '../report/outcomes.ts'
import { progress } from '../report/progress.ts'
import type { Listener, ViewStamp } from '../run/event.ts'
import { exitCode, type Outcome, type Status } from '../run/outcome.ts'
import type { Means } from '../run/run-node.ts'
import { type RunStage, runStages } from '../run/run-stages.ts'
import type { Context } from './context.ts'
import type { Gathered } from './gather.ts'
import { holdStages } from './hold-nodes.ts'

export interface Fleet {
  readonly command: string
  readonly cloud: string
  /** Absent when the command goes by no view. */
  readonly view: ViewStamp | undefined
  readonly stages: readonly RunStage[]
  /** Parts of the view that were wrong and are not served. */
  readonly leftOut?: number
  /** What nodes are brought to on purpose, where that is a failure of other commands. */
  readonly aim?: Status | undefined
  /** What speaks against what the run is about to do to nodes. */
  readonly doubting?: Means['doubting']
  /** For a word about a run that may hold its nodes still: the nodes know which run it is about. */
  readonly beside?: boolean
}

export interface Ran {
  readonly outcomes: readonly Outcome[]
  readonly code: ExitCode
}

export async function fleetRun(fleet: Fleet & { readonly json: boolean }, context: Context): Promise<ExitCode> {
  const { terminal } = context
  const screen = fleet.json ? eventStream(context, fleet.command) : progress(terminal)
  const flips: string[] = []
  const show: Listener = (event) => {
    if (event.type === 'flipped') flips.push(flippedText(event))
    screen(event)
  }
  const { outcomes, code } = await heldRun(fleet, context, show)
  if (!fleet.json) terminal.out(outcomesReport(outcomes, terminal))
  if (!fleet.json && !terminal.quiet) terminal.out(flips.join(''))
  return code
}

/** Over nodes that no other run has; `show` hears what happens after it is recorded. */
export async function heldRun(fleet: Fleet, context: Context, show: Listener): Promise<Ran> {
  const run = runId(context.clock())
  if (fleet.beside) return await recordedRun(run, fleet, context, show)
  const { stages, release } = holdStages(fleet.stages, { ...fleet, run }, context)
  try {
    return await recordedRun(run, { ...fleet, stages }, context, show)
  } finally {
    release()
  }
}

async function recordedRun(
  run: string,
  { command, cloud, view, stages, leftOut = 0, aim, doubting }: Fleet,
  context: Context,
  show: Listener,
): Promise<Ran> {
  const record = openRecord(context.stateFolder, cloud, run, view)
  const remember = recording(record, context)
  const tell: Listener = (event) => {
    remember(event)
    context.log(event)
    show(event)
  }

  try {
    const nodes = stages.flatMap(({ tasks }) => tasks.map(({ name }) => name))
    tell({ type: 'run-started', run, command, cloud, view, nodes, ...(leftOut > 0 ? { leftOut } : {}) })
    const means = {
      run,
      transport: context.transport,
      doubting,
      began: performance.now(),
      now: () => performance.now(),
    }
    const { outcomes, end } = await runStages(stages, means, context.signal, tell)
    const code = exitCode(
      outcomes.filter(({ status }) => status !== aim),
      end,
    )
    tell({ type: 'run-finished', exitCode: code, counts: countsOf(outcomes) })
    return { outcomes, code }
  } finally {
    record.close()
    prune(cloud, context)
  }
}

/** Whatever is wrong with old records, this run is over and told. */
function prune(cloud: string, { stateFolder, terminal }: Context): void {
  try {
    pruneRuns(stateFolder, cloud)
  } catch (error) {
    if (!(error instanceof Refusal || (error instanceof Error && 'syscall' in error))) throw error
    terminal.err(`warning: old runs stay in the record: ${error.message}\n`)
  }
}

/** The record is history, never the truth: when it takes no more, no node may lose its outcome for that. */
function recording(record: RunRecord, { terminal, clock }: Context): Listener {
  let isGivenUp = false
  return (event) => {
    if (isGivenUp) return
    try {
      record.tell(event, clock())
    } catch (error) {
      // Anything but the file system's word is a bug of ours.
      if (!(error instanceof Error && 'syscall' in error)) throw error
      isGivenUp = true
      terminal.err(`warning: the record of this run cannot be written any more: ${error.message}; the run goes on\n`)
    }
  }
}

export function stampOf({ sourced, view }: Gathered): ViewStamp {
  return {
    origin: sourced.origin,
    mode: view.mode,
    version: view.version,
    digest: createHash('sha256').update(sourced.text).digest('hex'),
  }
}

/** Sorts by time, and two runs of one second still differ. */
export function runId(time: Date): string {
  return `${time.toISOString().replace(/[-:]|\..*/g, '')}Z-${randomBytes(3).toString('hex')}`
}

function countsOf(outcomes: readonly Outcome[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
