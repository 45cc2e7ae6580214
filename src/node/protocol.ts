/**
 * The verbs that change a node, each one round trip, and what their failure means for the node.
 *
 * stage    the bundle arrives, its digests are checked, and it is rehearsed there; nothing of the node changes
 * compare  what the node holds against it, as a diff
 * commit   it is made so and read back; on any failure the node makes again what was there
 * adopt    eucanetd is stopped and disabled, then as commit
 * confirm  it becomes the node's current bundle
 * release  eucanetd gets the node back, with everything as it is
 * forget   what edgepush remembers there is removed
 */

import { type Bundle, MANIFEST, SCRIPT } from '../bundle/bundle.ts'
import { type Answer, ask, said } from './exchange.ts'
import { NotProbed } from './probe.ts'
import type { Connection } from './transport.ts'

/** What a verb left: `done`, or what the node is in instead. */
export interface Verdict {
  readonly state: 'done' | 'refused' | 'rolled-back' | 'unknown'
  readonly notes: readonly string[]
  readonly errors: readonly string[]
}

const STATE = '/var/lib/edgepush'
const TIMEOUT = 120_000
/** As the cloud writes it; nothing else goes into a command. */
const VERSION = /^[0-9A-Fa-f]{1,16}$/

/** Exit statuses of the apply script; any other is a script that died, and after that nothing is known. */
const STATES: Readonly<Record<number, Verdict['state']>> = {
  0: 'done',
  20: 'refused',
  21: 'rolled-back',
  22: 'unknown',
  23: 'refused',
}

/** `adopting` takes a node on which eucanetd still runs. */
export async function stage(connection: Connection, bundle: Bundle, adopting?: 'adopting'): Promise<Verdict> {
  const verdict = verdictOf(await ask(connection, stageScript(bundle, adopting), TIMEOUT))
  // Staging touches nothing of what the node holds, however it ends.
  return verdict.state === 'done' ? verdict : { ...verdict, state: 'refused' }
}

export function commit(connection: Connection, bundle: Bundle): Promise<Verdict> {
  return perform(connection, bundle, 'commit')
}

export function adopt(connection: Connection, bundle: Bundle): Promise<Verdict> {
  return perform(connection, bundle, 'adopt')
}

/** `version` is what the cloud calls the view; tools on the node read there which one it serves. */
export function confirm(connection: Connection, bundle: Bundle, version: string | undefined): Promise<Verdict> {
  return perform(connection, bundle, version && VERSION.test(version) ? `confirm ${version}` : 'confirm')
}

export function forget(connection: Connection, bundle: Bundle): Promise<Verdict> {
  return perform(connection, bundle, 'forget')
}

export async function release(connection: Connection): Promise<Verdict> {
  return verdictOf(await ask(connection, `exec sh ${STATE}/current/${SCRIPT} release`, TIMEOUT))
}

/** Lines of a diff: `-` the node holds, `+` the bundle asks for. */
export async function compare(connection: Connection, { digest }: Bundle): Promise<readonly string[]> {
  const answer = await ask(connection, `exec sh ${STATE}/gen/${digest}/${SCRIPT} difference`, TIMEOUT)
  if (answer.status !== 0) throw new NotProbed(`what it holds cannot be read: ${said(answer, 'error').join('; ')}`)
  return said(answer, 'difference')
}

async function perform(connection: Connection, { digest }: Bundle, verb: string): Promise<Verdict> {
  return verdictOf(await ask(connection, `exec sh ${STATE}/gen/${digest}/${SCRIPT} ${verb}`, TIMEOUT))
}

function verdictOf(answer: Answer): Verdict {
  const state = STATES[answer.status]
  const errors = said(answer, 'error')
  const notes = said(answer, 'note')
  if (state) return { state, notes, errors }
  return { state: 'unknown', notes, errors: [...errors, `the script ended with status ${answer.status}`] }
}

/** Files travel as here-documents inside the script: no second channel, no subsystem, and never half of a file. */
function stageScript({ digest, files }: Bundle, adopting: 'adopting' | undefined): string {
  const end = `edgepush-end-${digest.slice(0, 16)}`
  const documents = files.map(({ name, text }) => `cat > "$incoming/${name}" << '${end}'\n${text}${end}\n`)
  return `umask 077
bundle=${STATE}/gen/${digest}
incoming=${STATE}/incoming.$$
intact() { # folder
  cd "$1" 2> /dev/null && [ "$(sha256sum < ${MANIFEST})" = "${digest}  -" ] &&
    sed -n 's/^    "\\([^"]*\\)": "\\([0-9a-f]*\\)",*$/\\2  \\1/p' ${MANIFEST} | sha256sum -c - > /dev/null 2>&1
}
find ${STATE} -maxdepth 1 -name 'incoming.*' -mmin +60 -exec rm -rf {} + 2> /dev/null
mkdir -p ${STATE}/gen && mkdir "$incoming" || { echo "error ${STATE} cannot be written"; exit 20; }
trap 'rm -rf "$incoming"' EXIT
${documents.join('')}
( intact "$incoming" ) || { echo 'error the bundle arrived damaged: is the disk full?'; exit 20; }
( intact "$bundle" ) || { rm -rf "$bundle" && sync && mv "$incoming" "$bundle"; } || { echo "error $bundle cannot be written"; exit 20; }
sh "$bundle/${SCRIPT}" check ${adopting ?? ''}
`
}
