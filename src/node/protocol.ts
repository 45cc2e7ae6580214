/**
 * The verbs that change a node, each one round trip, and what their failure means for the node.
 *
 * stage    what the node lacks of the bundle arrives, all digests are checked, and it is rehearsed there; nothing of the
 *          node changes
 * compare  what the node holds against it, as a diff
 * commit   stage; then it waits for the word, is made so and read back; on any failure the node goes back
 * adopt    the same of a bundle that is staged, and eucanetd is stopped and disabled first
 * verify   does it work? nothing of the node changes
 * confirm  it becomes the node's current bundle; a commit that is not confirmed in its window goes back
 * abort    the node goes back
 * extend   the window ends later
 * release  eucanetd gets the node back, with everything as it is
 * forget   what edgepush remembers there is removed
 */

import { type Bundle, SCRIPT } from '../bundle/bundle.ts'
import { type Change, changesOf } from './change.ts'
import { type Answer, ask, said } from './exchange.ts'
import { NotProbed } from './probe.ts'
import { LACKS, NOTHING_STORED, STATE, type Stored, stageScript } from './stage-script.ts'
import { hearing, type Start } from './start.ts'
import type { Connection } from './transport.ts'

/** What a verb left: `done`, or what the node is in instead. */
export interface Verdict {
  readonly state:
    | 'done'
    | 'refused'
    /** Another run has the node: refused as well. */
    | 'held-by-another'
    | 'rolled-back'
    | 'unknown'
    /** The script ended before its end: asked again, the node says what became of it. */
    | 'died'
  readonly notes: readonly string[]
  readonly errors: readonly string[]
  /** By the commit that this confirms. */
  readonly changes?: readonly Change[]
}

/** On which terms a node takes a commit. */
export interface Terms {
  readonly run: string
  /** One more than the node's own: a node refuses who does not know of the run before. */
  readonly epoch: number
  /** Milliseconds in which it must be confirmed. */
  readonly window: number
  /** What the cloud calls the view; tools on the node read there which one it serves. */
  readonly version: string | undefined
}

const TIMEOUT = 120_000
/** As the cloud writes it; nothing else goes into a command. */
const VERSION = /^[0-9A-Fa-f]{1,16}$/

/** Exit statuses of the apply script; any other is a script that died. */
const STATES: Readonly<Record<number, Verdict['state']>> = {
  0: 'done',
  20: 'refused',
  21: 'rolled-back',
  22: 'unknown',
  23: 'held-by-another',
}

/** Sends what is not `stored` there already; `adopting` takes a node on which eucanetd still runs. */
export async function stage(
  connection: Connection,
  bundle: Bundle,
  stored: Stored,
  adopting?: 'adopting',
): Promise<Verdict> {
  const put = (there: Stored) => ask(connection, stageScript(bundle, there, adopting), TIMEOUT)
  const verdict = verdictOf(await sparing(stored, put))
  // Staging touches nothing of what the node holds, however it ends.
  return verdict.state === 'done' || verdict.state === 'held-by-another' ? verdict : { ...verdict, state: 'refused' }
}

export async function commit(connection: Connection, bundle: Bundle, terms: Terms, start: Start): Promise<Verdict> {
  const call = callOf(`gen/${bundle.digest}`, ['commit', ...wordsOf(terms)])
  const put = (there: Stored) => {
    const script = `( ${stageScript(bundle, there, undefined)} ) || exit\n${call} <&4`
    return ask(connection, script, TIMEOUT, hearing(start))
  }
  return verdictOf(await sparing(start.stored, put))
}

/** Where somebody has changed what is stored on the node, nothing of it is used: the whole is sent. */
async function sparing(stored: Stored, put: (stored: Stored) => Promise<Answer>): Promise<Answer> {
  const answer = await put(stored)
  return said(answer, LACKS).length > 0 ? await put(NOTHING_STORED) : answer
}

/** Of a bundle that is staged. */
export async function adopt(connection: Connection, bundle: Bundle, terms: Terms, start: Start): Promise<Verdict> {
  const call = callOf(`gen/${bundle.digest}`, ['adopt', ...wordsOf(terms)])
  return verdictOf(await ask(connection, `${call} <&4`, TIMEOUT, hearing(start)))
}

/** `check` is one that the mode has; `timeout` in milliseconds. */
export async function verify(
  connection: Connection,
  bundle: Bundle,
  run: string,
  check: string,
  timeout: number,
): Promise<Verdict> {
  const script = callOf(`gen/${bundle.digest}`, ['verify', run, check, seconds(timeout)])
  return verdictOf(await ask(connection, script, TIMEOUT + timeout))
}

export function confirm(connection: Connection, bundle: Bundle, run: string): Promise<Verdict> {
  return perform(connection, bundle, 'confirm', run)
}

export function abort(connection: Connection, bundle: Bundle, run: string, reason: string): Promise<Verdict> {
  return perform(connection, bundle, 'abort', run, reason)
}

/** The cloud's word for the view, on a node that holds its bundle already. */
export async function noteVersion(connection: Connection, bundle: Bundle, version: string): Promise<Verdict> {
  return VERSION.test(version)
    ? await perform(connection, bundle, 'serves', version)
    : { state: 'done', notes: [], errors: [] }
}

export function forget(connection: Connection, bundle: Bundle): Promise<Verdict> {
  return perform(connection, bundle, 'forget')
}

export async function release(connection: Connection): Promise<Verdict> {
  return verdictOf(await ask(connection, callOf('current', ['release']), TIMEOUT))
}

/** What a person says of a run whose window is open: the node knows which bundle it is about. */
export async function settle(connection: Connection, verb: 'confirm' | 'abort' | 'extend', words: readonly string[]) {
  const script = `bundle=$(sed -n 's/^bundle //p' ${STATE}/pending 2> /dev/null)
[ -n "$bundle" ] || bundle=$(basename "$(readlink ${STATE}/current)")
[ -e "${STATE}/gen/$bundle/${SCRIPT}" ] || { echo 'error nothing of ours was ever committed here'; exit 20; }
exec sh "${STATE}/gen/$bundle/${SCRIPT}" ${[verb, ...words].map(quote).join(' ')}`
  return verdictOf(await ask(connection, script, TIMEOUT))
}

/** Lines of a diff: `-` the node holds, `+` the bundle asks for. */
export async function compare(connection: Connection, { digest }: Bundle): Promise<readonly string[]> {
  const answer = await ask(connection, callOf(`gen/${digest}`, ['difference']), TIMEOUT)
  if (answer.status !== 0) throw new NotProbed(`what it holds cannot be read: ${said(answer, 'error').join('; ')}`)
  return said(answer, 'difference')
}

async function perform(connection: Connection, { digest }: Bundle, ...words: readonly string[]): Promise<Verdict> {
  return verdictOf(await ask(connection, callOf(`gen/${digest}`, words), TIMEOUT))
}

/** A script that somebody has removed meanwhile was not run. */
function callOf(folder: string, words: readonly string[]): string {
  const script = `${STATE}/${folder}/${SCRIPT}`
  return `[ -e ${script} ] || { echo 'error ${script} is gone from the node'; exit 20; }
exec sh ${script} ${words.map(quote).join(' ')}`
}

function wordsOf({ run, epoch, window, version }: Terms): readonly string[] {
  return [run, String(epoch), seconds(window), version !== undefined && VERSION.test(version) ? version : '']
}

function seconds(milliseconds: number): string {
  return String(Math.ceil(milliseconds / 1_000))
}

function quote(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

function verdictOf(answer: Answer): Verdict {
  const state = STATES[answer.status]
  const errors = said(answer, 'error')
  const notes = said(answer, 'note')
  const changes = changesOf(answer)
  if (state) return { state, notes, errors, ...(changes.length > 0 && { changes }) }
  return { state: 'died', notes, errors: [...errors, `the script ended with status ${answer.status}`] }
}
