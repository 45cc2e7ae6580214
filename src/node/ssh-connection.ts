/**
 * One SSH connection and the commands on it, one after the other.
 *
 * What keeps a lost node from being taken for a finished command, or from ending the whole process:
 * - our own `error` listener is attached before the first packet and never removed; node-ssh removes its own;
 * - the socket's end is noticed before the SSH client closes its channels, because it closes them as if the command had
 *   ended, possibly with the exit code but without the rest of the output;
 * - a command without an exit code is never a result.
 */

import { type Duplex, PassThrough } from 'node:stream'
import { type Config, NodeSSH } from 'node-ssh'
import type { ClientChannel } from 'ssh2'
import { answering } from './answering.ts'
import { type Connection, ConnectionLost, type Reply, type Talk, Unreachable } from './transport.ts'

const MAX_OUTPUT = 64 * 1024 * 1024

/** A node that is silent for 20 s is lost: three unanswered questions, and the time until the fourth would be due. */
const KEEPALIVE = { keepaliveInterval: 5_000, keepaliveCountMax: 3 }

/** A stream of bytes to an SSH server. */
export interface Way {
  readonly socket: Duplex
  /** Undefined unless it goes through a jump host, and that is lost. */
  whyLost(): string | undefined
}

export class SshConnection implements Connection {
  readonly sudoer: string | undefined
  readonly #ssh = new NodeSSH()
  readonly #socket: Duplex
  /** For messages: the node's name and where it is. */
  readonly #endpoint: string
  /** What happened to the jump host that the connection goes through. */
  readonly #whyLost: () => string | undefined
  /** Why the connection ended, unless the node closed it. */
  #reason: string | undefined

  constructor({ socket, whyLost }: Way, endpoint: string, sudoer: string | undefined) {
    this.#socket = socket
    this.#whyLost = whyLost
    this.#endpoint = endpoint
    this.sudoer = sudoer
  }

  /** Handshake and login. `onHandshake` is called once the host key is accepted and nobody has logged in yet. */
  async open(config: Config, onHandshake: () => void): Promise<void> {
    const ready = this.#ssh.connect({ ...config, ...KEEPALIVE, sock: this.#socket })
    this.#ssh.connection?.once('handshake', onHandshake)
    this.#ssh.connection?.on('error', (error) => {
      this.#reason ??= explainLoss(error)
    })
    try {
      await ready
    } catch (error) {
      this.close()
      throw error
    }
  }

  run(command: string, input: string, timeout: number, talk?: Talk): Promise<Reply> {
    const stdin = new PassThrough()
    stdin.write(input)
    return this.#run(command, stdin, timeout, talk)
  }

  /** Without the input, which is large and would be kept as long as the command lasts. */
  #run(command: string, stdin: PassThrough, timeout: number, talk: Talk | undefined): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed || !this.#ssh.isConnected()) {
        reject(new Unreachable(`the connection to ${this.#endpoint} was lost between two commands: ${this.#explain()}`))
        return
      }

      const lose = (error: Error) => {
        reject(error)
        this.close()
      }
      const onClose = () => lose(this.#lost())
      const onFlood = () => lose(this.#unknown(`sent more than ${MAX_OUTPUT / 1024 / 1024} MiB`))
      const onTimeout = () => lose(this.#unknown(`did not answer within ${timeout / 1000} s`))
      const dialogue = answering({ stdin, timeout, onTimeout, talk })
      this.#socket.prependOnceListener('close', onClose)

      this.#execute(command, stdin, { onFlood, onStdout: dialogue.hear })
        .then(resolve, reject)
        .finally(() => {
          dialogue.end()
          this.#socket.off('close', onClose)
        })
    })
  }

  /** From the far end on to another host; it fails as the SSH client says it. */
  forward(host: string, port: number): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      const client = this.#ssh.connection
      if (this.#socket.destroyed || !client) throw new Error('Not connected')
      client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => (error ? reject(error) : resolve(channel)))
    })
  }

  onEnd(listener: () => void): void {
    if (this.#socket.destroyed) listener()
    else this.#socket.once('close', listener)
  }

  /** Why it was lost; undefined while it is not. */
  whyLost(): string | undefined {
    return this.#socket.destroyed ? `the connection to ${this.#endpoint} was lost: ${this.#explain()}` : undefined
  }

  /** What the node is doing goes on: closing ends no command there. */
  close(): void {
    if (!this.#socket.destroyed) this.#reason ??= 'the connection was closed here'
    this.#ssh.dispose()
    this.#socket.destroy()
  }

  /** One byte is one character until all is there: a character of several bytes may come in two packets. */
  async #execute(command: string, stdin: PassThrough, on: Listeners): Promise<Reply> {
    let received = 0
    const count = (chunk: Buffer) => {
      received += chunk.length
      if (received > MAX_OUTPUT) on.onFlood()
    }
    const onStdout = (chunk: Buffer) => {
      count(chunk)
      on.onStdout(chunk.toString('latin1'))
    }
    const options = { stdin, encoding: 'latin1', noTrim: true, onStdout, onStderr: count } as const
    const { code, signal, stdout, stderr } = await this.#ssh.execCommand(command, options).catch((error: Error) => {
      throw this.#explainFailure(error)
    })

    if (code === null) throw this.#unknown(`ended a command ${signal ? `by ${signal}` : 'without an exit code'}`)
    return { code, stdout: decode(stdout), stderr: decode(stderr) }
  }

  /** Only a channel that was refused proves that the command was never sent. */
  #explainFailure(error: Error): Error {
    if (error.message.startsWith('(SSH) Channel open failure')) {
      return new Unreachable(`${this.#endpoint} accepted the login but no command: see MaxSessions in its sshd_config`)
    }
    this.#reason ??= explainLoss(error)
    return this.#lost()
  }

  #lost(): ConnectionLost {
    return this.#unknown(`was lost while a command ran: ${this.#explain()}`)
  }

  #unknown(what: string): ConnectionLost {
    return new ConnectionLost(`${this.#endpoint} ${what}; what it did is unknown`)
  }

  #explain(): string {
    return this.#whyLost() ?? this.#reason ?? 'the other side closed the connection'
  }
}

interface Listeners {
  readonly onFlood: () => void
  readonly onStdout: (text: string) => void
}

function decode(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

function explainLoss({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'the connection was reset'
  return message === 'Keepalive timeout' ? 'no sign of life for 20 s' : message
}
