/** Whether an echo request is answered, by this host's own ping: a socket for it is not to be had without privileges. */

import type { Knocked } from './knock.ts'
import { runProgram } from './programs.ts'

/** `timeout` is in milliseconds; a request a second is sent until then. */
export async function ping(host: string, timeout: number): Promise<Knocked> {
  const seconds = Math.ceil(timeout / 1_000)
  // Busybox waits ten seconds for the last answer, whatever the deadline, unless it is told not to.
  const limits = ['-W', String(seconds), '-w', String(seconds)]
  const ended = await runProgram('ping', ['-n', '-q', '-c', '1', ...limits, host], (seconds + 2) * 1_000)
  if (!ended) return new Error('there is no ping on this host')
  const { code, stdout, stderr } = ended
  if (code === 0) return 'answered'
  if (code === 1 && stderr === '' && !LEADS_NOWHERE.test(stdout)) return 'silence'
  return new Error(stderr.trim() || 'no host on the way there knows it')
}

/** What a host on the way says, as it is counted in the end. */
const LEADS_NOWHERE = /, \+\d+ errors,/
