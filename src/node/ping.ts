/** Whether an echo request is answered, by this host's own ping: a socket for it is not to be had without privileges. */

import { execFile } from 'node:child_process'
import type { Knocked } from './knock.ts'

/** `timeout` is in milliseconds; a request a second is sent until then. */
export function ping(host: string, timeout: number): Promise<Knocked> {
  const seconds = String(Math.ceil(timeout / 1_000))
  return new Promise((resolve) => {
    execFile('ping', ['-n', '-q', '-c', '1', '-w', seconds, host], (error, stdout, stderr) => {
      if (!error) return resolve('answered')
      // A host on the way says that it leads nowhere.
      if (error.code !== 1 || stderr !== '' || /, \+\d+ errors,/.test(stdout)) return resolve(failed(error, stderr))
      resolve('silence')
    })
  })
}

function failed({ code }: { readonly code?: unknown }, stderr: string): Error {
  if (code === 'ENOENT') return new Error('there is no ping on this host')
  return new Error(stderr.trim() || 'no host on the way there knows it')
}
