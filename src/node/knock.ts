/** Whether a packet gets through to a TCP port, as far as one can tell from here. What came of an echo request is told alike. */

import { connect } from 'node:net'

export type Knocked =
  | 'accepted'
  | 'answered'
  /** By whom it was sent to: it got through. */
  | 'refused'
  /** Nothing came back. */
  | 'silence'
  /** It never got as far as that; why not. */
  | Error

/** `timeout` is in milliseconds. */
export function knock(host: string, port: number, timeout: number): Promise<Knocked> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const timer = setTimeout(() => end('silence'), timeout)

    function end(knocked: Knocked): void {
      clearTimeout(timer)
      socket.destroy()
      resolve(knocked)
    }

    socket.on('connect', () => end('accepted'))
    socket.on('error', (error: NodeJS.ErrnoException) => end(KNOWN[error.code ?? ''] ?? error))
  })
}

const KNOWN: Readonly<Record<string, Knocked>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'refused',
  ETIMEDOUT: 'silence',
}
