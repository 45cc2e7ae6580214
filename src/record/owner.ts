/**
 * Who holds a lock, and whether that process still lives. Node has no lock that the kernel takes back, so a process is
 * known by its number and the tick it started at, in its process namespace, on its boot of its machine. Of a process that
 * is elsewhere nothing is known, and nothing is guessed.
 */

import { readFileSync, readlinkSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'

export interface Owner {
  readonly run: string
  readonly command: string
  /** ISO 8601. */
  readonly since: string
  readonly user: string
  readonly host: string
  readonly pid: number
  readonly whereabouts: Whereabouts
}

/** Empty texts where this system does not say. */
interface Whereabouts {
  readonly machine: string
  readonly boot: string
  readonly namespace: string
  /** In ticks since the boot. */
  readonly started: string
}

export type Life = 'alive' | 'gone' | 'elsewhere'

export function ownerHere(run: string, command: string, pid: number, now: Date): Owner {
  const whereabouts = { ...hereabouts(), started: startOf(pid) ?? '' }
  return { run, command, since: now.toISOString(), user: userName(), host: hostname(), pid, whereabouts }
}

export function lifeOf({ host, pid, whereabouts: there }: Owner): Life {
  const here = hereabouts()
  if (here.boot === '' || host !== hostname() || there.machine !== here.machine) return 'elsewhere'
  // Without a name of the machine another boot may as well be another machine.
  if (there.boot !== here.boot) return here.machine === '' ? 'elsewhere' : 'gone'
  if (there.namespace !== here.namespace) return 'elsewhere'
  return startOf(pid) === there.started ? 'alive' : 'gone'
}

function hereabouts(): Omit<Whereabouts, 'started'> {
  return {
    machine: read('/etc/machine-id'),
    boot: read('/proc/sys/kernel/random/boot_id'),
    namespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
  }
}

/** Undefined for a process that is no more, also for one whose end its parent has not taken note of. */
function startOf(pid: number): string | undefined {
  // The name of the program is in parentheses and may hold any of them.
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  const [state] = fields
  return state === '' || state === 'Z' || state === 'X' ? undefined : fields[19]
}

function userName(): string {
  return attempt(() => userInfo().username)
}

function read(path: string): string {
  return attempt(() => readFileSync(path, 'utf8').trim())
}

function attempt(ask: () => string): string {
  try {
    return ask()
  } catch {
    return ''
  }
}
