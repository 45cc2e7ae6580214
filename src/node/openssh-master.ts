/** A process of the system's `ssh` that is logged in and stays so; commands and further connections go over its socket. */

import { connectArguments, READY } from './openssh-arguments.ts'
import { explainRefusal } from './openssh-refusal.ts'
import type { Dropped, Time } from './patience.ts'
import { type SshProcess, startSsh } from './programs.ts'
import { nameEndpoint } from './socket.ts'
import { NotTrusted, type Target, Unreachable } from './transport.ts'

export interface Master {
  readonly socket: string
  /** Why it is gone; undefined while it lives. */
  whyLost(): string | undefined
  /** What it says from now on. */
  listen(): () => string
  /** Settles when it is gone. */
  readonly gone: Promise<void>
  end(): void
}

/** A jump host that is logged in to. */
export interface Behind {
  readonly target: Target
  readonly master: Master
}

export function startMaster(
  target: Target,
  socket: string,
  hop: Behind | undefined,
  time: Time,
): Promise<Master | Dropped> {
  const timeout = time.left()
  const hopSays = hop?.master.listen()
  const child = startSsh(connectArguments(target, socket, hop?.master.socket, timeout))
  const errors = hearErrors(child)
  const gone = new Promise<void>((resolve) => child.on('close', () => resolve()))
  let stdout = ''
  child.stdin.on('error', () => undefined)
  child.stdin.end()
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill()
      reject(new Unreachable(`no login to ${nameEndpoint(target)} within ${target.connectTimeout / 1000} s`))
    }, timeout)
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (!stdout.includes(READY)) return
      clearTimeout(timer)
      resolve(toMaster(child, socket, gone, errors, hop))
    })
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      reject(error.code === 'ENOENT' ? noSsh(target) : error)
    })
    child.on('close', () => {
      clearTimeout(timer)
      const by = hop && explainLoss(hop)
      if (by !== undefined) return resolve({ dropped: '', by })
      const refusal = explainRefusal(target, errors.last(), hop?.target, hopSays?.())
      return refusal instanceof Error ? reject(refusal) : resolve(refusal)
    })
  })
}

interface Errors {
  /** The end of all that it said. */
  last(): string
  listen(): () => string
}

/** A process that lives for days may say much: only its last words are kept. */
function hearErrors(child: SshProcess): Errors {
  let last = ''
  let length = 0
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    last = `${last}${text}`.slice(-LONGEST)
    length += text.length
  })
  return {
    last: () => last,
    listen() {
      const before = length
      return () => last.slice(Math.max(0, last.length - (length - before)))
    },
  }
}

const LONGEST = 16_384

function toMaster(
  child: SshProcess,
  socket: string,
  gone: Promise<void>,
  { last, listen }: Errors,
  hop: Behind | undefined,
): Master {
  let isEnded = false
  return {
    socket,
    gone,
    listen,
    whyLost() {
      if (child.exitCode === null && child.signalCode === null && !isEnded) return undefined
      if (isEnded) return 'the connection was closed here'
      return (hop && explainLoss(hop)) ?? explainEnd(last())
    },
    end() {
      isEnded = true
      child.kill()
    },
  }
}

function explainLoss({ target, master }: Behind): string | undefined {
  const why = master.whyLost()
  return why === undefined ? undefined : `the connection to ${nameEndpoint(target)} was lost: ${why}`
}

function explainEnd(stderr: string): string {
  if (/not responding/.test(stderr)) return 'no sign of life for 20 s'
  if (/reset by peer|Broken pipe/.test(stderr)) return 'the connection was reset'
  if (/closed by remote host/.test(stderr)) return 'the other side closed the connection'
  return stderr.trim().split('\n').at(-1) || 'its ssh was ended'
}

function noSsh({ name }: Target): NotTrusted {
  return new NotTrusted(
    `the ssh map of ${name} wants OpenSSH, which is not installed here`,
    'install the OpenSSH client, or leave out connection: openssh',
  )
}
