// The kernel that a lab's hosts share: this machine's, or that of a guest on it. What differs is how a process is started
// there and how it is ended.

import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

export interface Machinery {
  /** What to start on this machine so that the command runs there, with this environment. */
  readonly argv: (command: readonly string[], env: NodeJS.ProcessEnv) => readonly string[]
  /** Ends a command that was started so, and what it started; not what left its process group. */
  readonly kill: (child: ChildProcess, signal: NodeJS.Signals) => void
  /** Milliseconds that a command there may take, if nothing else is said of it. */
  readonly commandTimeout: number
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
export const hostEnv = { PATH: path, HOME: '/root', LANG: 'C' }

export const thisMachine: Machinery = { argv: (command) => command, kill: killGroup, commandTimeout: 30_000 }

// All of the command's process group but its first, nsenter, which has to live until it has reaped the command: the
// kernel does not let go of a PID namespace while an unreaped process of it is left.
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  for (const pid of readdirSync('/proc').map(Number)) {
    if (pid > 0 && pid !== child.pid && groupOf(pid) === child.pid) quietly(() => process.kill(pid, signal))
  }
}

function groupOf(pid: number): number | undefined {
  const stat = quietly(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
}

/** For processes that may end in this very moment. */
function quietly<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
