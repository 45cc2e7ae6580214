/** A view from the file that the cloud controller keeps, over SSH: one connection, one command. */

import { randomBytes } from 'node:crypto'
import { EXIT, Refusal } from '../../error.ts'
import { commandFor, explainSudo, inputOf } from '../../node/command.ts'
import {
  ConnectionLost,
  NotTrusted,
  type Reply,
  type Target,
  type Transport,
  Unreachable,
} from '../../node/transport.ts'
import { quote } from '../parse/quote.ts'
import { type RemoteFile, readRemoteReply, writeRemoteScript } from './remote-script.ts'
import type { SourcedView } from './sourced-view.ts'

/** Milliseconds; the largest view there can be is 50 MiB. */
const TIMEOUT = 120_000

export async function readRemoteView(target: Target, file: string, transport: Transport): Promise<SourcedView> {
  const mark = randomBytes(16).toString('hex')
  const reply = await ask(target, writeRemoteScript(file, mark), transport)
  const answer = readRemoteReply(reply.stdout, mark)
  const origin = `${target.name}:${file}`
  if (answer?.kind !== 'text') throw explainAnswer(target, file, answer, reply)

  // Text that is not UTF-8 does not survive decoding, and then has another size, too.
  if (Buffer.byteLength(answer.text) !== answer.size) {
    throw new Refusal(EXIT.badView, `${origin} is not UTF-8 text, or did not arrive as it is`)
  }
  return { text: answer.text, origin, modified: new Date(Date.now() - answer.age * 1000) }
}

async function ask(target: Target, script: string, transport: Transport): Promise<Reply> {
  try {
    const connection = await transport.connect(target)
    try {
      return await connection.run(commandFor(connection.sudoer), inputOf(script), TIMEOUT)
    } finally {
      connection.close()
    }
  } catch (error) {
    throw explainFailure(target, error)
  }
}

function explainFailure(target: Target, error: unknown): unknown {
  if (error instanceof NotTrusted) return new Refusal(EXIT.noPermission, error.message, error.next)
  if (error instanceof Unreachable || error instanceof ConnectionLost) {
    return new Refusal(EXIT.noSource, `no view from ${target.name}: ${error.message}`, byHand(target, 'true'))
  }
  return error
}

function explainAnswer(target: Target, file: string, answer: RemoteFile | undefined, reply: Reply): Refusal {
  const place = `${target.name}:${file}`
  const look = byHand(target, `ls -l ${file}`)
  switch (answer?.kind) {
    case 'missing':
      return new Refusal(EXIT.noInput, `there is no file ${place}; only the enabled cloud controller writes it`, look)
    case 'irregular':
      return new Refusal(EXIT.noInput, `${place} is not a file`, look)
    case 'unreadable':
      return new Refusal(EXIT.noPermission, `${place} may not be read by ${target.user}`, look)
    case 'unstable':
      return new Refusal(EXIT.noSource, `${place} was rewritten each time it was read`, look)
    default:
      return (
        explainLogin(target, reply) ??
        new Refusal(EXIT.noSource, `${target.name} did not send ${file}: ${lastLine(reply)}`, look)
      )
  }
}

/** Where the login did not become root's. */
function explainLogin({ name, user, become }: Target, reply: Reply): Refusal | undefined {
  const refusal = become && explainSudo(user, reply)
  return refusal && new Refusal(EXIT.noPermission, `no view from ${name}: ${refusal.message}`, refusal.next)
}

function lastLine({ code, stderr }: Reply): string {
  const line = stderr.trim().split('\n').at(-1)
  return line ? quote(line) : `its shell ended with ${code}`
}

function byHand({ host, port, user }: Target, command: string): string {
  return `ssh -p ${port} ${user}@${host} ${command}`
}
