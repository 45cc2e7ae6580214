/** A TCP connection with Nagle's algorithm off: it costs 40 ms for every command otherwise. */

import { connect, type Socket } from 'node:net'
import { type Target, Unreachable } from './transport.ts'

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (is sshd running, is the port right?)',
  ECONNRESET: 'the connection was reset',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ENOTFOUND: 'the name cannot be resolved',
  EAI_AGAIN: 'the name server does not answer',
}

/** `timeout` is in milliseconds. */
export function openSocket(target: Target, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: target.host, port: target.port, noDelay: true })
    const timer = setTimeout(() => fail(`no answer within ${target.connectTimeout / 1000} s`), timeout)

    function fail(why: string): void {
      clearTimeout(timer)
      socket.destroy()
      reject(new Unreachable(`cannot reach ${nameEndpoint(target)}: ${why}`))
    }

    // Stays for good: until the SSH client listens too, an error would end the process.
    socket.on('error', (error: NodeJS.ErrnoException) => fail(REASONS[error.code ?? ''] ?? error.message))
    socket.once('connect', () => {
      clearTimeout(timer)
      resolve(socket)
    })
  })
}

/** For messages: the node's name and where it was looked for. */
export function nameEndpoint(target: Target): string {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host
  return `${target.name} (${host}:${target.port})`
}
