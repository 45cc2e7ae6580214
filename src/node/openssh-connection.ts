/**
 * Commands over a connection of the system's `ssh`, one after the other, each by a process of its own.
 *
 * That process ends with the command's exit code, but also with 255 when anything went wrong with the connection, at
 * whatever moment. So the command itself says its exit code, after all that it wrote, at the end of both streams; without
 * these marks there is no result.
 */

import { randomBytes } from 'node:crypto'
import { answering } from './answering.ts'
import { commandArguments } from './openssh-arguments.ts'
import type { Master } from './openssh-master.ts'
import { startSsh } from './programs.ts'
import { type Connection, ConnectionLost, type Reply, type Talk, Unreachable } from './transport.ts'

const MAX_OUTPUT = 64 * 1024 * 1024

/** Milliseconds in which a connection that a command was lost with is noticed to be lost itself. */
const GRACE = 1_000

export class OpenSshConnection implements Connection {
  readonly sudoer: string | undefined
  readonly #master: Master
  /** For messages: the node's name and where it is. */
  readonly #endpoint: string

  constructor(master: Master, endpoint: string, sudoer: string | undefined) {
    this.#master = master
    this.#endpoint = endpoint
    this.sudoer = sudoer
  }

  async run(command: string, input: string, timeout: number, talk?: Talk): Promise<Reply> {
    const lost = this.#master.whyLost()
    if (lost !== undefined) {
      throw new Unreachable(`the connection to ${this.#endpoint} was lost between two commands: ${lost}`)
    }
    const mark = randomBytes(16).toString('hex')
    const ended = await this.#execute(marked(command, mark), { input, timeout, talk })
    return readReply(ended, mark) ?? (await this.#explain(ended))
  }

  whyLost(): string | undefined {
    return this.#master.whyLost()
  }

  /** What the node is doing goes on: closing ends no command there. */
  close(): void {
    this.#master.end()
  }

  #execute(command: string, { input, timeout, talk }: Asked): Promise<Output> {
    return new Promise((resolve, reject) => {
      const child = startSsh(commandArguments(this.#master.socket, command))
      const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
      let received = 0
      const lose = (what: string) => {
        reject(this.#unknown(what))
        child.kill()
        this.close()
      }
      // Who does not read his input ends before all of it is sent.
      child.stdin.on('error', () => undefined)
      child.stdin.write(input)
      const onTimeout = () => lose(`did not answer within ${timeout / 1000} s`)
      const dialogue = answering({ stdin: child.stdin, timeout, onTimeout, talk })
      child.stdout.on('data', (chunk: Buffer) => dialogue.hear(chunk.toString('latin1')))
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].on('data', (chunk: Buffer) => {
          chunks[name].push(chunk)
          received += chunk.length
          if (received > MAX_OUTPUT) lose(`sent more than ${MAX_OUTPUT / 1024 / 1024} MiB`)
        })
      }
      child.on('error', reject)
      child.on('close', (code) => {
        dialogue.end()
        resolve({ code, stdout: Buffer.concat(chunks.stdout), stderr: Buffer.concat(chunks.stderr) })
      })
    })
  }

  async #explain({ stderr }: Output): Promise<never> {
    const said = stderr.toString('utf8')
    if (/[Ss]ession (request failed|open refused)/.test(said)) {
      throw new Unreachable(`${this.#endpoint} accepted the login but no command: see MaxSessions in its sshd_config`)
    }
    await Promise.race([this.#master.gone, new Promise((resolve) => setTimeout(resolve, GRACE))])
    const lost = this.#master.whyLost()
    throw this.#unknown(
      lost === undefined ? 'ended a command without an exit code' : `was lost while a command ran: ${lost}`,
    )
  }

  #unknown(what: string): ConnectionLost {
    return new ConnectionLost(`${this.#endpoint} ${what}; what it did is unknown`)
  }
}

interface Asked {
  readonly input: string
  readonly timeout: number
  readonly talk: Talk | undefined
}

interface Output {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: Buffer
}

/** By a shell of its own, in one line: the login shell may be any. */
function marked(command: string, mark: string): string {
  const marks = `printf '\\n%s\\n' ${mark}; printf '\\n%s %s\\n' ${mark} "$code" >&2`
  const script = `( ${command} ); code=$?; ${marks}; exit "$code"`
  return `/bin/sh -c '${script.replaceAll("'", "'\\''")}'`
}

/** Undefined unless both streams are whole, and ssh itself saw the same end. */
function readReply({ code, stdout, stderr }: Output, mark: string): Reply | undefined {
  const endOfOutput = stdout.lastIndexOf(`\n${mark}\n`)
  const endOfErrors = stderr.lastIndexOf(`\n${mark} `)
  if (endOfOutput === -1 || endOfErrors === -1) return undefined
  const [, digits] = / (\d+)\n/.exec(stderr.toString('latin1', endOfErrors)) ?? []
  if (digits === undefined || Number(digits) !== code) return undefined
  return {
    code,
    stdout: stdout.toString('utf8', 0, endOfOutput),
    stderr: stderr.toString('utf8', 0, endOfErrors),
  }
}
