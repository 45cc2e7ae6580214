/** Programs of this host, where it has them: `ssh` and `ping`. The only file below cli.ts that starts processes. */

import { type ChildProcess, type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { Socket } from 'node:net'

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Undefined where it is not installed. It reads no input, and has this many milliseconds. */
export function runProgram(name: 'ssh' | 'ping', args: readonly string[], timeout: number): Promise<Ended | undefined> {
  return new Promise((resolve, reject) => {
    const child = execFile(name, args, { timeout, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr })
      else if (error.code === 'ENOENT') resolve(undefined)
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr })
      else if (error.killed) resolve({ code: 255, stdout, stderr: `no answer within ${timeout / 1000} s` })
      else reject(error)
    })
    child.stdin?.end()
  })
}

export type SshProcess = ChildProcessWithoutNullStreams

/** In a session of its own: what is typed at the terminal, ^C above all, is for us and not for it. */
export function startSsh(args: readonly string[]): SshProcess {
  return spawn('ssh', args, { detached: true })
}

/**
 * Runs a shell script with these arguments when we end in any way, also when we are killed: it waits for the end of its
 * input, which ends with us. What is returned ends it earlier.
 */
export function leaveBehind(script: string, args: readonly string[]): () => void {
  const shell: ChildProcess = spawn('/bin/sh', ['-c', `read -r _\n${script}`, 'sh', ...args], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  shell.on('error', () => undefined)
  shell.stdin?.on('error', () => undefined)
  shell.unref()
  // A pipe here is a socket, which would keep us alive.
  if (shell.stdin instanceof Socket) shell.stdin.unref()
  return () => shell.stdin?.end()
}
