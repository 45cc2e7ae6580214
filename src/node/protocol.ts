/**
 * The verbs that change a node, each one round trip, and what their failure means for the node.
 *
 * stage    the bundle arrives, its digests are checked, and it is rehearsed there; nothing of the node changes
 * commit   it is made so and read back; on any failure the node makes again what was there
 * confirm  it becomes the node's current bundle
 */

import { type Bundle, MANIFEST, SCRIPT } from '../bundle/bundle.ts'
import { type Answer, ask, said } from './exchange.ts'
import type { Connection } from './transport.ts'

/** What a verb left: `done`, or what the node is in instead. */
export interface Verdict {
  readonly state: 'done' | 'refused' | 'rolled-back' | 'unknown'
  readonly notes: readonly string[]
  readonly errors: readonly string[]
}

const STATE = '/var/lib/edgepush'
const TIMEOUT = 120_000

/** Exit statuses of the apply script; any other is a script that died, and after that nothing is known. */
const STATES: Readonly<Record<number, Verdict['state']>> = {
  0: 'done',
  20: 'refused',
  21: 'rolled-back',
  22: 'unknown',
  23: 'refused',
}

export async function stage(connection: Connection, bundle: Bundle): Promise<Verdict> {
  const verdict = verdictOf(await ask(connection, stageScript(bundle), TIMEOUT))
  // Staging touches nothing of what the node holds, however it ends.
  return verdict.state === 'done' ? verdict : { ...verdict, state: 'refused' }
}

export async function commit(connection: Connection, { digest }: Bundle): Promise<Verdict> {
  return verdictOf(await ask(connection, `exec sh ${STATE}/gen/${digest}/${SCRIPT} commit`, TIMEOUT))
}

export async function confirm(connection: Connection, { digest }: Bundle): Promise<Verdict> {
  return verdictOf(await ask(connection, `exec sh ${STATE}/gen/${digest}/${SCRIPT} confirm`, TIMEOUT))
}

function verdictOf(answer: Answer): Verdict {
  const state = STATES[answer.status]
  const errors = said(answer, 'error')
  const notes = said(answer, 'note')
  if (state) return { state, notes, errors }
  return { state: 'unknown', notes, errors: [...errors, `the script ended with status ${answer.status}`] }
}

/** Files travel as here-documents inside the script: no second channel, no subsystem, and never half of a file. */
function stageScript({ digest, files }: Bundle): string {
  const end = `edgepush-end-${digest.slice(0, 16)}`
  const documents = files.map(({ name, text }) => `cat > "$incoming/${name}" << '${end}'\n${text}${end}\n`)
  return `umask 077
LC_ALL=C PATH=/usr/sbin:/sbin:/usr/bin:/bin
export LC_ALL PATH
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
sh "$bundle/${SCRIPT}" check
`
}
