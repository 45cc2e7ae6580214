/**
 * One question and its answer: a script on the stdin of one fixed command, a framed reply on its stdout.
 *
 * Invariants:
 * - whatever a login shell or its rc files print, before or after, is not part of an answer: only what stands between
 *   two marks is, and the marks are made anew for every question;
 * - the script comes after its size, and is one compound command, which a shell reads to its end before it does anything: an
 *   input that is cut off does nothing. A login shell that reads stdin itself takes its first lines away;
 * - a script is read and run with nothing of the login's environment: what it calls is found where root alone may write;
 * - an answer without its whole end mark is no answer: what the node did is unknown.
 */

import { randomBytes } from 'node:crypto'
import { commandFor, ENVIRONMENT, explainSudo, inputOf } from './command.ts'
import { type Connection, ConnectionLost, type Reply, type Talk } from './transport.ts'

export interface Answer {
  readonly status: number
  readonly lines: readonly AnswerLine[]
}

/** Hears what a script says while it runs; the first line that it answers is the last. */
export type Hear = (line: AnswerLine) => Promise<string> | undefined

/** `word text`. */
interface AnswerLine {
  readonly word: string
  readonly text: string
}

/** What a script may say itself: it is not a reply of ours at all. */
export class Unintelligible extends Error {}

/**
 * With `hear`, the script finds what it is told meanwhile at descriptor 4. Nothing here waits with the script in hand: many
 * nodes wait for one another, and each has its own.
 */
export function ask(connection: Connection, script: string, timeout: number, hear?: Hear): Promise<Answer> {
  const mark = `edgepush-${randomBytes(8).toString('hex')}`
  const { sudoer } = connection
  const talk = hear && between(mark, hear)
  return answerOf(connection.run(commandFor(sudoer), inputOf(wrap(script, mark)), timeout, talk), mark, sudoer)
}

async function answerOf(running: Promise<Reply>, mark: string, sudoer: string | undefined): Promise<Answer> {
  const reply = await running
  return unwrap(reply.stdout, mark) ?? refuse(reply, mark, sudoer)
}

function wrap(script: string, mark: string): string {
  return `{ ${ENVIRONMENT}; export LC_ALL PATH
printf '\\n%s begin\\n' ${mark}; (
${script}
) 4<&0 < /dev/null; printf '\\n%s end %s\\n' ${mark} $?; exit 0; }
`
}

/** Only what is part of the answer. */
function between(mark: string, hear: Hear): Talk {
  let isWithin = false
  return (line) => {
    if (line === `${mark} begin`) isWithin = true
    else if (line.startsWith(`${mark} end `)) isWithin = false
    else if (isWithin) return hear(answerLine(line))
    return undefined
  }
}

/** Found, not matched: an answer may be long, and there are thousands. */
function unwrap(stdout: string, mark: string): Answer | undefined {
  const [begin, end] = [`\n${mark} begin\n`, `\n${mark} end `]
  const from = stdout.indexOf(begin)
  // What is said may be nothing at all: the end of the one line begins the other.
  const to = from < 0 ? -1 : stdout.indexOf(end, from + begin.length - 1)
  const [, status] = (to < 0 ? undefined : /^(\d+)\n/.exec(stdout.slice(to + end.length))) ?? []
  if (status === undefined) return undefined
  const lines = stdout.slice(from + begin.length, Math.max(to, from + begin.length)).split('\n')
  return { status: Number(status), lines: lines.filter((line) => line !== '').map(answerLine) }
}

function answerLine(line: string): AnswerLine {
  const space = line.indexOf(' ')
  return space < 0 ? { word: line, text: '' } : { word: line.slice(0, space), text: line.slice(space + 1) }
}

function refuse(reply: Reply, mark: string, sudoer: string | undefined): never {
  const { stdout, stderr, code } = reply
  if (stdout.includes(`\n${mark} begin\n`)) throw new ConnectionLost('the reply ended in the middle')
  const refusal = sudoer === undefined ? undefined : explainSudo(sudoer, reply)
  if (refusal) throw refusal
  const said = [stdout, stderr].join('\n').trim().split('\n').slice(-3).join(' / ')
  throw new Unintelligible(
    `/bin/sh did not run our script (exit status ${code}${said ? `, it said: ${said}` : ''}); does the login shell read its standard input, or is a command forced on this key?`,
  )
}

/** Everything that was said under one word. */
export function said(answer: Answer, word: string): readonly string[] {
  return answer.lines.filter((line) => line.word === word).map(({ text }) => text)
}
