/**
 * From commit to confirm, for one node.
 *
 * Invariants: nothing is confirmed over the connection that committed, because connection tracking keeps that one open
 * whatever the new rules say; what becomes of a node is asked of the node and never guessed; where nobody answers any
 * more, the node goes back by itself.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Bundle } from '../bundle/bundle.ts'
import { Unintelligible } from '../node/exchange.ts'
import type { Probed } from '../node/probe.ts'
import { abort, adopt, commit, confirm, type Terms, type Verdict } from '../node/protocol.ts'
import type { Activation, Start } from '../node/start.ts'
import { ConnectionLost, NotTrusted, Unreachable } from '../node/transport.ts'
import type { Going } from './barrier.ts'
import type { Check } from './check.ts'
import { findingOf, reasonOf } from './finding.ts'
import { prospectOf } from './guard.ts'
import type { RunPhase } from './outcome.ts'
import type { Finding, Link } from './run-node.ts'

/** How a run makes sure of what it commits. */
export interface Safety {
  /** Milliseconds in which a commit must be confirmed. */
  readonly window: number
  /** Milliseconds in which a node must take a new connection. */
  readonly reconnect: number
  readonly checks: readonly Check[]
  /** The confirmation is a person's. */
  readonly hold: boolean
}

/** For a run that nobody has said more about. */
export const SAFETY: Safety = { window: 60_000, reconnect: 15_000, checks: [], hold: false }

export interface Transaction extends Safety {
  readonly bundle: Bundle
  readonly terms: Terms
  /** Why it is pushed. */
  readonly reason: string
  readonly probed: Pick<Probed, 'clock' | 'stored' | 'holding'>
  readonly verb: 'commit' | 'adopt'
}

/** What is known of a verb: its verdict, or that nobody knows what it did. */
type Heard = Verdict | Lost

interface Lost {
  readonly state: 'lost'
  readonly errors: readonly string[]
  readonly notes: readonly string[]
}

export async function transact(link: Link, enter: (phase: RunPhase) => void, plan: Transaction): Promise<Finding> {
  const { bundle, terms, verb, hold } = plan
  // Now, because its files are at hand: they are not while a node waits.
  const prospect = prospectOf(bundle, plan.probed.holding)
  if (verb === 'commit') enter('stage')
  let going: Going | undefined
  let activated: Activation | undefined
  const start: Start = {
    clock: plan.probed.clock,
    stored: plan.probed.stored,
    async mayBegin() {
      enter('ready')
      going = await link.mayBegin(prospect)
      if (going.may) enter(verb)
      return going.may
    },
    onActivated(activation) {
      activated = activation
    },
  }
  const committed = await heard(
    () => verbs[verb](link.connection, bundle, terms, start),
    () => going?.may === true,
  )
  if (!going?.may) {
    // A script that died may have left its window open: nothing has begun in it, but it should not stay.
    const died = !going && committed.state === 'lost'
    const undone = died ? await goBack(link, plan, reasonOf('stage', committed)) : { ...committed, notes: [] }
    return notBegun(going, { ...undone, notes: [...committed.notes, ...undone.notes] }, plan)
  }
  const withNotes = (finding: Finding) => ({ ...finding, activated, notes: [...committed.notes, ...finding.notes] })
  if (committed.state !== 'done' && committed.state !== 'lost') return { ...tell(verb, committed, plan), activated }

  enter('verify')
  const failure = await verifyAll(link, plan, committed)
  if (failure) return withNotes(tell('verify', failure, plan))
  if (hold)
    return withNotes({ ...tell('verify', DONE, plan), status: 'awaiting', next: `edgepush confirm ${terms.run}` })

  enter('confirm')
  return withNotes(tell('confirm', await asked(link, plan, () => confirm(link.connection, bundle, terms.run)), plan))
}

const verbs = { commit, adopt }

/** Nothing of the node is changed, however it came to that. */
function notBegun(going: Going | undefined, verdict: Heard, { bundle: { digest }, verb }: Transaction): Finding {
  const { notes } = verdict
  if (going && !going.may && verdict.state !== 'unknown') {
    const { why, next } = going
    return { status: 'not-attempted', phase: 'ready', digest, reason: why, ...(next && { next }), notes }
  }
  const phase = verb === 'commit' ? 'stage' : verb
  if (verdict.state === 'lost' || verdict.state === 'died') {
    return { status: 'refused', phase, digest, reason: reasonOf(phase, verdict), notes }
  }
  return findingOf(phase, verdict, { status: 'refused', digest })
}

const DONE: Verdict = { state: 'done', notes: [], errors: [] }

/** What keeps the commit from being confirmed, and what the node is in then. */
async function verifyAll(link: Link, plan: Transaction, committed: Heard): Promise<Heard | undefined> {
  // Who was cut off in the middle of a commit has nothing to lose but the window.
  const cut = await renewWithin(link, committed.state === 'lost' ? plan.window : plan.reconnect)
  if (cut) return await goBack(link, plan, `no new connection: ${cut.message}`)
  const { bundle, terms, checks } = plan
  for (const { name, ask } of checks) {
    const verdict = await asked(link, plan, () => ask(link.connection, bundle, terms.run))
    if (verdict.state === 'refused') return await goBack(link, plan, `${name}: ${verdict.errors.join('; ')}`)
    if (verdict.state !== 'done') return verdict
  }
  return undefined
}

/** At once if the node can still be told, over the old connection if there is no new one; otherwise when its window ends. */
async function goBack(link: Link, plan: Transaction, why: string): Promise<Heard> {
  const verdict = await heardIfAtAll(() => abort(link.connection, plan.bundle, plan.terms.run, why))
  return { ...verdict, errors: [why, ...verdict.errors] }
}

/** A question that may be repeated: when its answer is lost, it is put again, as long as the window is open. */
async function asked(link: Link, { window }: Transaction, question: () => Promise<Verdict>): Promise<Heard> {
  const answer = await heardIfAtAll(question)
  if (answer.state !== 'lost') return answer
  return (await renewWithin(link, window)) ? answer : await heardIfAtAll(question)
}

/** Patient until then; says why not. */
async function renewWithin(link: Link, patience: number): Promise<Error | undefined> {
  const deadline = performance.now() + patience
  for (;;) {
    try {
      await link.renew(Math.max(1, deadline - performance.now()))
      return undefined
    } catch (error) {
      if (!(error instanceof Unreachable || error instanceof NotTrusted)) throw error
      if (performance.now() + RETRY >= deadline) return error
      await sleep(RETRY)
    }
  }
}

const RETRY = 1_000

/** What is lost before anything began is not lost: it is thrown as it is. */
async function heard(verb: () => Promise<Verdict>, hasBegun = () => true): Promise<Heard> {
  try {
    const verdict = await verb()
    return verdict.state === 'died' ? { ...verdict, state: 'lost' } : verdict
  } catch (error) {
    if (!isSilence(error) || !hasBegun()) throw error
    return { state: 'lost', errors: [error.message], notes: [] }
  }
}

/** A login that is refused in the middle says nothing of the commit before it. */
async function heardIfAtAll(verb: () => Promise<Verdict>): Promise<Heard> {
  try {
    return await heard(verb)
  } catch (error) {
    if (!(error instanceof NotTrusted)) throw error
    return { state: 'lost', errors: [error.message], notes: [] }
  }
}

function isSilence(error: unknown): error is Error {
  return error instanceof Unreachable || error instanceof ConnectionLost || error instanceof Unintelligible
}

function tell(phase: RunPhase, answer: Heard, { bundle, reason, window, terms }: Transaction): Finding {
  const done = { status: 'converged', digest: bundle.digest, reason } as const
  if (answer.state !== 'lost') return findingOf(phase, answer, done)
  const why = reasonOf(phase, answer)
  const ends = `it goes back by itself within ${Math.ceil(window / 1_000)} s`
  const common = { ...done, phase, notes: answer.notes }
  if (phase !== 'confirm') return { ...common, status: 'reverting', reason: `${why}; ${ends}` }
  const next = `see what it holds: edgepush status --live; or ask for the confirmation again: edgepush confirm ${terms.run}`
  return { ...common, status: 'unknown', reason: `${why}; it is confirmed, or ${ends}`, next }
}
