/** Servers as child processes: ready when they say so, ended by the process they were started as. */

import { type ChildProcess, spawn } from 'node:child_process'

export interface Child {
  /** Everything it has written so far. */
  output(): string
  end(): Promise<void>
}

export function startChild(command: string, args: readonly string[], ready: RegExp): Promise<Child> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  return new Promise((resolve, reject) => {
    function read(chunk: Buffer): void {
      text += chunk
      if (ready.test(text)) resolve({ output: () => text, end: () => endChild(child) })
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`${command} ended: ${text}`)))
  })
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill()
  await gone
}
