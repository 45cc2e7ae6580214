/** The system's own `ssh`, where there is one; the only file below cli.ts that starts processes. */

import { execFile } from 'node:child_process'

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Undefined where no OpenSSH is installed. It reads no input, and has this many milliseconds. */
export function runSsh(args: readonly string[], timeout: number): Promise<Ended | undefined> {
  return new Promise((resolve, reject) => {
    const child = execFile('ssh', args, { timeout, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr })
      else if (error.code === 'ENOENT') resolve(undefined)
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr })
      else if (error.killed) resolve({ code: 255, stdout, stderr: `no answer within ${timeout / 1000} s` })
      else reject(error)
    })
    child.stdin?.end()
  })
}
