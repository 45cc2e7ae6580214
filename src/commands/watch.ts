/** `edgepush watch`: follows the view, and pushes what it changes to the nodes that it changes. */

import { EXIT, type ExitCode } from '../error.ts'
import { keptTransport } from '../node/kept.ts'
import { eventStream } from '../report/event-stream.ts'
import { progress } from '../report/progress.ts'
import { roundText } from '../report/rounds.ts'
import { nextDue } from '../run/due.ts'
import type { Listener } from '../run/event.ts'
import { followView } from '../view/source/follow-view.ts'
import { type Bell, bell } from './bell.ts'
import type { Context, ViewFlags } from './context.ts'
import { newsOnly } from './news.ts'
import { planAnew, planWatch, type WatchPlan } from './watch-plan.ts'
import { NOTHING, type Round, type Watched, watchRound } from './watch-round.ts'
import { watchTotals } from './watch-totals.ts'

export interface WatchFlags extends ViewFlags {
  /** Milliseconds from one round of all nodes to the next. */
  readonly every: number
  readonly metrics: string | undefined
}

export async function watch(playbook: string | undefined, flags: WatchFlags, around: Context): Promise<ExitCode> {
  const { signal, terminal } = around
  const news = newsOnly(terminal)
  const kept = keptTransport(around.transport)
  const context = { ...around, terminal: news.terminal, transport: kept }
  let plan = planWatch(playbook, flags, context)
  const totals = watchTotals(plan.configuration.inventory.cloud, flags.metrics, context)
  const show = screenOf(flags, around)
  const rings = bell(signal)
  let following = follow(plan, rings, context)
  around.onHangup(rings.hangUp)
  around.notify('READY=1')

  let watched = NOTHING
  let fullAt = 0
  let changed: number | undefined
  let code: ExitCode = EXIT.ok
  while (!signal.aborted) {
    news.turn()
    const began = performance.now()
    const isFull = began >= fullAt
    const round = await watchRound(plan, watched, { flags, isFull, show }, context)
    watched = round.watched
    code = round.code
    if (isFull && !round.refusal) fullAt = began + flags.every * (0.9 + Math.random() / 5)
    // Who hears of a round finds it in the metrics.
    totals.count(round, changed)
    tell(round, around, context, isFull)
    if (!round.refusal) changed = undefined

    const rung = await rings.wait(wakeAt(watched, fullAt))
    changed ??= rung.changed
    const anew = rung.isHangup ? planAnew(playbook, flags, around) : undefined
    if (anew) {
      following.abort()
      kept.release()
      plan = anew
      watched = { ...watched, gathered: undefined }
      following = follow(plan, rings, context)
      fullAt = 0
    }
  }
  following.abort()
  kept.release()
  around.notify('STOPPING=1')
  terminal.live?.end()
  return code === EXIT.unknown ? code : EXIT.ok
}

function wakeAt({ known, refusals, again }: Watched, fullAt: number): number {
  return refusals > 0 ? again : Math.min(fullAt, nextDue(known))
}

/** Until it is aborted; what goes wrong with it rings, too. */
function follow({ source }: WatchPlan, rings: Bell, { transport, terminal, signal }: Context): AbortController {
  const controller = new AbortController()
  const ended = AbortSignal.any([controller.signal, signal])
  let isLost = false
  const onLost = (why: string | undefined) => {
    if (why !== undefined) terminal.err(`the view cannot be followed: ${why}; it is tried again\n`)
    else if (isLost) terminal.err('the view is followed again\n')
    isLost = why !== undefined
  }
  followView(source, { transport, signal: ended, onChange: rings.change, onLost }).catch(rings.fail)
  return controller
}

/** The events of all rounds are one stream; on a terminal they are seen while they happen. */
function screenOf({ json }: WatchFlags, context: Context): Listener {
  if (json) return eventStream(context, 'watch')
  return context.terminal.live ? progress(context.terminal) : () => undefined
}

/** A round in which nobody was asked is worth no line, unless it is the first or should have been another. */
function tell(round: Round, { terminal, notify }: Context, { terminal: news }: Context, isFull: boolean): void {
  const text = roundText(round, terminal.paint)
  const isBad = round.code !== EXIT.ok
  if (round.refusal) news.err(text)
  else if (isBad || (!terminal.quiet && (isFull || round.outcomes.length > 0))) terminal.err(text)
  const [status = ''] = text.split('\n')
  notify(`STATUS=${status}`)
  terminal.live?.show(() => [`watching; ${status}`])
}
