// Every step of the scripts that run on a node, and what can be made to happen at it.
//
// A step is a call of a tool that does more than read. Which tools there are is read from the node's own script
// (tripwire.sh), so that a step which somebody adds is met by every fault without being named anywhere.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Station } from '../../../lab/probes-from.ts'

export type Fault =
  /** The script and all its subshells die, before the tool has done anything. */
  | 'killed'
  /** The session that called the script dies; the script goes on. */
  | 'cut'
  /** The same, and nobody can log in any more. */
  | 'gone'
  | 'killed and gone'
  /** The tool says that it failed, and has done nothing. */
  | 'fails'
  /** From here on nothing can be written to the node's state. */
  | 'disk full'

/** The n-th step of what the script does when it is called for `verb`; `stage` is what comes before any script. */
export interface Step {
  readonly verb: string
  readonly number: number
  /** The tool and its arguments, for people. */
  readonly call: string
}

export interface Trap {
  readonly at: Step
  readonly fault: Fault
}

const STATE = '/var/lib/edgepush'
const FOLDER = '/tmp/tripwire'

const READING = /^(?:\w+-save|ipset (?:save|list)|ip .*show|\w+ -V)\b/

/** It shows something and changes nothing: to die there is to die at the next step. */
export function onlyReads({ call }: Step): boolean {
  return READING.test(call)
}

/** From now on every step is counted, and the clock by which the node counts stands still until `expireWindow`. */
export async function wire(node: Station): Promise<void> {
  const script = readFileSync(join(import.meta.dirname, 'tripwire.sh'), 'utf8')
  await node.run('cat > /tmp/tripwire.sh && bash /tmp/tripwire.sh wire', { stdin: script })
}

/** Counts anew, and only these traps are set. Bundles that nobody needs go, so that a push stages its own each time. */
export async function arm(node: Station, traps: readonly Trap[]): Promise<void> {
  const lines = traps.map(({ at, fault }) => `${at.verb} ${at.number} ${fault}\n`)
  await node.run(
    `cat > ${FOLDER}/armed && rm -f ${FOLDER}/calls.* ${FOLDER}/sprung && cd ${STATE}/gen &&
    for bundle in *; do
      [ "$(readlink ../current)" = "gen/$bundle" ] || grep -qs "^bundle $bundle" ../pending || rm -r "$bundle"
    done`,
    { stdin: lines.join('') },
  )
}

/** The traps that have not sprung. */
export async function missed(node: Station, traps: readonly Trap[]): Promise<readonly Trap[]> {
  const sprung = (await node.run(`cat ${FOLDER}/sprung 2> /dev/null || :`)).split('\n')
  return traps.filter(({ at, fault }) => !sprung.includes(`${at.verb} ${at.number} ${fault}`))
}

/** What was called since the node was armed. */
export async function stepsOf(node: Station, ...verbs: readonly string[]): Promise<readonly Step[]> {
  const texts = await Promise.all(verbs.map((verb) => node.run(`cat ${FOLDER}/calls.${verb} 2> /dev/null || :`)))
  return texts.flatMap((text, index) =>
    text
      .split('\n')
      .slice(0, -1)
      .map((call, place) => ({ verb: verbs[index] ?? '', number: place + 1, call })),
  )
}

/** No trap is set any more, the disk has room, and sshd answers. */
export async function mend(node: Station): Promise<void> {
  await node.run(`: > ${FOLDER}/armed; rm -f ${STATE}/filler
    pgrep -x sshd > /dev/null || { rm -f /run/sshd.pid; /usr/sbin/sshd -E /run/sshd.log; }
    for _ in $(seq 500); do [ ! -s /run/sshd.pid ] || exit 0; sleep 0.01; done; exit 1`)
}

/** As if more time had passed than any window has. Settles when nobody watches over one any more. */
export async function expireWindow(node: Station): Promise<void> {
  await node.run(
    `[ ! -e ${STATE}/pending ] || echo "$(($(cut -d . -f 1 ${FOLDER}/uptime) + 1000)).00 0.00" > ${FOLDER}/uptime
    ${untilOurProcessesEnd} || { ps -eo pid,args; exit 1; }`,
    PATIENCE,
  )
}

/** What of us is neither current nor remembered: scratch folders, half a file, a process. */
export async function leftovers(node: Station): Promise<string> {
  return await node.run(
    `${untilOurProcessesEnd} || ps -eo args | grep '/[a]pply[.]sh'
    find /run ${STATE} ${STATE}/gen/* ${STATE}/snap /run/eucalyptus -maxdepth 2 2> /dev/null |
      grep -E '^/run/edgepush[.]|/(work|incoming)[.]|/snap/|[.](new|next)$|/pending$' | sort -u`,
    PATIENCE,
  )
}

const PATIENCE = { timeout: 120_000 }
const untilOurProcessesEnd = `timeout 60 sh -c "while ps -eo args | grep -qE '^sh .*/[a]pply.sh |^[a]rping '; do sleep 0.1; done"`
