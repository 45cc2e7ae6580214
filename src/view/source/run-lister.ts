/** The program that a playbook names to say who is there: run here, as we are, and what it prints is read. */

import { execFile } from 'node:child_process'
import { EXIT, Refusal } from '../../error.ts'
import { quote } from '../parse/quote.ts'

/** Milliseconds. */
const TIMEOUT = 120_000

const LARGEST = 64 * 1024 * 1024

export function runLister([program = '', ...args]: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT, maxBuffer: LARGEST, encoding: 'utf8' } as const
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout)
      else reject(explain([program, ...args].join(' '), error, stderr))
    })
    child.stdin?.end()
  })
}

function explain(
  command: string,
  { code, killed, signal, message }: Error & { code?: unknown; killed?: boolean; signal?: unknown },
  stderr: string,
): Refusal {
  if (code === 'ENOENT') return new Refusal(EXIT.noInput, `there is no program to list the instances: ${command}`)
  if (code === 'EACCES') return new Refusal(EXIT.noPermission, `${command} may not be run by this user`)
  const how = typeof code === 'number' ? `ended with ${code}` : killed ? `was ended by ${signal}` : message
  const line = stderr.trim().split('\n').at(-1)
  const said = line ? `: ${quote(line)}` : ''
  return new Refusal(
    EXIT.noSource,
    `${command}, which lists the instances, ${how}${said}`,
    `try it by hand: ${command}`,
  )
}
