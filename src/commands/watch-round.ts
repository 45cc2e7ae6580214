/** One round of `edgepush watch`: the view is fetched, and who is due is pushed to. */

import type { InventoryNode } from '../config/inventory.ts'
import type { StageNodes } from '../config/select.ts'
import { EXIT, type ExitCode, Refusal, Unfit } from '../error.ts'
import { delay, dueNodes, type Known, learn } from '../run/due.ts'
import type { Listener, ViewStamp } from '../run/event.ts'
import type { Outcome } from '../run/outcome.ts'
import { free, keep } from './allocation.ts'
import { type Asked, bundleAgain } from './bundle-again.ts'
import type { Context, ViewFlags } from './context.ts'
import { heldRun, stampOf } from './fleet-run.ts'
import { type Gathered, gather } from './gather.ts'
import { refuseOtherMode, served } from './node-bundle.ts'
import { heedPush, pushFleet } from './push-fleet.ts'
import type { WatchPlan } from './watch-plan.ts'

/** What a watch knows from one round to the next; times on the clock of `performance.now`. */
export interface Watched {
  readonly known: ReadonlyMap<string, Known>
  /** By node, when it was asked last. */
  readonly asked: ReadonlyMap<string, Asked>
  /** The view of the last round. */
  readonly gathered: Gathered | undefined
  /** Rounds in a row that had no view to serve. */
  readonly refusals: number
  /** When such a round is tried again. */
  readonly again: number
}

export const NOTHING: Watched = { known: new Map(), asked: new Map(), gathered: undefined, refusals: 0, again: 0 }

export interface Round {
  readonly watched: Watched
  /** Why no node was asked anything. */
  readonly refusal: Refusal | undefined
  readonly view: (ViewStamp & { readonly modified: Date | undefined }) | undefined
  /** Of those who were asked. */
  readonly outcomes: readonly Outcome[]
  /** How many there are. */
  readonly nodes: number
  readonly code: ExitCode
  readonly milliseconds: number
}

interface Asking {
  readonly flags: ViewFlags
  readonly isFull: boolean
  readonly show: Listener
}

export async function watchRound(
  plan: WatchPlan,
  before: Watched,
  { flags, isFull, show }: Asking,
  context: Context,
): Promise<Round> {
  const began = performance.now()
  const took = () => Math.round(performance.now() - began)
  const gathered = await gathering(plan, flags, before.gathered, context)
  if (gathered instanceof Refusal) {
    const refusals = before.refusals + 1
    const again = performance.now() + delay(refusals, Math.random())
    const { exitCode } = gathered
    const watched = { ...before, refusals, again }
    const nodes = plan.chosen.flatMap((stage) => stage.nodes).length
    return { watched, refusal: gathered, view: undefined, outcomes: [], nodes, code: exitCode, milliseconds: took() }
  }

  const nodes = served(
    plan.chosen.flatMap((stage) => stage.nodes),
    gathered,
  )
  const asked = new Map(before.asked)
  const wanted = nodes.map((node) => ({ name: node.name, digest: digestOf(node, gathered, asked) }))
  const due = new Set(dueNodes(wanted, before.known, { now: began, isFull }))
  const fleet = pushFleet(
    { ...plan, chosen: only(plan.chosen, due), gathered },
    { forks: flags.forks, confirmWindow: undefined, force: [] },
    (node, { facts, conf, holding }) => {
      refuseOtherMode(gathered.mode, holding?.mode)
      return bundleAgain(node, gathered, { facts, conf }, asked)
    },
  )
  const isAsked = due.size > 0 && !context.signal.aborted
  const ran = isAsked ? await heldRun({ command: 'watch', ...fleet }, context, show) : NOBODY
  free(gathered.allocated, ran.code, context)
  const now = performance.now()
  const learnt = ran.outcomes.map((outcome) => {
    return [outcome.node, learn(before.known.get(outcome.node), outcome, now, Math.random())] as const
  })
  const there = new Set(nodes.map(({ name }) => name))
  const known = new Map([...before.known, ...learnt].filter(([name]) => there.has(name)))
  return {
    watched: { known, asked, gathered, refusals: 0, again: 0 },
    refusal: undefined,
    view: { ...stampOf(gathered), modified: gathered.sourced.modified },
    ...ran,
    nodes: nodes.length,
    milliseconds: took(),
  }
}

const NOBODY = { outcomes: [], code: EXIT.ok }

/** Whatever keeps a view from being served is a person's to mend: nothing is ever forced here. */
async function gathering(
  plan: WatchPlan,
  flags: ViewFlags,
  before: Gathered | undefined,
  context: Context,
): Promise<Gathered | Refusal> {
  try {
    const gathered = await gather(flags, plan.configuration, context, before)
    await heedPush({ ...plan, gathered }, [], context)
    return { ...gathered, allocated: keep(gathered.allocated, context) }
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

/** Undefined where we do not know what the node would say, or it cannot be served: it is asked, and that is told. */
function digestOf(node: InventoryNode, gathered: Gathered, asked: Map<string, Asked>): string | undefined {
  const last = asked.get(node.name)
  if (!last) return undefined
  try {
    return bundleAgain(node, gathered, last.said, asked).digest
  } catch (error) {
    if (error instanceof Unfit) return undefined
    throw error
  }
}

function only(chosen: readonly StageNodes[], names: ReadonlySet<string>): readonly StageNodes[] {
  return chosen.flatMap(({ stage, nodes }) => {
    const left = nodes.filter(({ name }) => names.has(name))
    return left.length > 0 ? [{ stage, nodes: left }] : []
  })
}
