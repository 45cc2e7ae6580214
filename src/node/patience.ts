/**
 * Until the first command is sent nothing was done, so a node that drops us before login (sshd does when too many are
 * logging in at once, see MaxStartups) is asked again a few times.
 */

import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { nameEndpoint } from './socket.ts'
import { type Target, Unreachable } from './transport.ts'

/** The node hung up before the login began, having said this. */
export interface Dropped {
  readonly dropped: string
  /** Where somebody else did, whom we go through: who, and why. */
  readonly by?: string
}

/** What is left of the milliseconds in which something must be done. */
export interface Time {
  left(): number
  /** What we waited for by ourselves is not counted. */
  forgive(milliseconds: number): void
}

const ATTEMPTS = 6
const FIRST_PAUSE = 200

/** `connectTimeout` covers all attempts and the pauses between them. */
export async function patiently<T extends object>(
  target: Target,
  attemptOnce: (time: Time) => Promise<T | Dropped>,
): Promise<T> {
  const time = timeOf(target.connectTimeout)
  for (let attempt = 1; ; attempt += 1) {
    const result = await attemptOnce(time)
    if (!isDropped(result)) return result

    const pause = FIRST_PAUSE * 2 ** (attempt - 1) * (0.5 + Math.random() / 2)
    if (attempt === ATTEMPTS || pause > time.left()) {
      if (result.by !== undefined) throw new Unreachable(`no login to ${nameEndpoint(target)}: ${result.by}`)
      const times = attempt === 1 ? 'hung up' : `hung up ${attempt} times`
      const said = result.dropped ? `, saying "${result.dropped}"` : ''
      throw new Unreachable(`${nameEndpoint(target)} ${times} before the login${said}; is it sshd, is it overloaded?`)
    }
    await sleep(pause)
  }
}

function timeOf(milliseconds: number): Time {
  let deadline = performance.now() + milliseconds
  return {
    left: () => Math.max(1, deadline - performance.now()),
    forgive(waited) {
      deadline += waited
    },
  }
}

export function hasHungUp(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  const closed = message === 'Connection lost before handshake' || message === 'No response from server'
  return closed || code === 'ECONNRESET' || code === 'EPIPE'
}

/** What a server says instead of speaking SSH, such as "Exceeded MaxStartups"; one printable line of it. */
export function hearGreeting(socket: Readable): () => string {
  let greeting = ''
  socket.once('data', (chunk: Buffer) => {
    const [line = ''] = chunk.toString('latin1').split(/\r?\n/, 1)
    greeting = line.replace(/[^ -~]/g, '?').slice(0, 80)
  })
  return () => greeting
}

export function isDropped(result: object): result is Dropped {
  return 'dropped' in result
}
