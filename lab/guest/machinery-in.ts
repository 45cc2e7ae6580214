// Processes of the guest, each a session of the one ssh connection whose control socket this is.

import { type ChildProcess, spawn } from 'node:child_process'
import type { Machinery } from '../machinery.ts'

// A session has no terminal, so its command does not end with it. What is to be ended is found by a number that the
// command has in its environment, and all that it started has too.
const mark = 'LAB_SESSION'
let sessions = 0

export function machineryIn(controlSocket: string): Machinery {
  const ssh = ['ssh', '-F', 'none', '-S', controlSocket, '-o', 'BatchMode=yes', 'guest', '--']

  function argv(command: readonly string[], env: NodeJS.ProcessEnv): readonly string[] {
    sessions += 1
    const own = Object.entries({ ...env, [mark]: String(sessions) }).map(([name, value]) => `${name}=${value ?? ''}`)
    return [...ssh, `exec ${['env', '-i', ...own, ...command].map(quoted).join(' ')}`]
  }

  // All but nsenter, which has to live until it has reaped the command (see machinery.ts).
  function kill(child: ChildProcess, signal: NodeJS.Signals): void {
    const marked = new RegExp(`'(${mark}=\\d+)'`).exec(child.spawnargs.at(-1) ?? '')?.[1]
    if (!marked || child.exitCode !== null || child.signalCode !== null) return
    const script = `grep -lzx ${marked} /proc/[0-9]*/environ 2>/dev/null | while read -r file; do
      process=\${file%/environ} && read -r name <$process/comm && [ "$name" != nsenter ] &&
        kill -${signal} \${process#/proc/}
    done`
    spawn('ssh', [...ssh.slice(1), script], { stdio: 'ignore' }).unref()
  }

  return { argv, kill, commandTimeout: 180_000 }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
