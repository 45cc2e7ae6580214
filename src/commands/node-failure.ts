import { EXIT, type ExitCode, Refusal, Unfit } from '../error.ts'
import { Unintelligible } from '../node/exchange.ts'
import { NotProbed } from '../node/probe.ts'
import { ConnectionLost, NotTrusted, Unreachable } from '../node/transport.ts'

/** Why one node could not be asked; the others go on. */
export interface Failed {
  readonly node: string
  readonly exitCode: ExitCode
  readonly message: string
}

export function failed(node: string, error: unknown): Failed {
  const because = (exitCode: ExitCode, { message }: Error, next?: string): Failed => {
    return { node, exitCode, message: `${node}: ${message}${next ? `\n  ${next}` : ''}` }
  }
  if (error instanceof NotTrusted) return because(EXIT.noPermission, error, error.next)
  if (error instanceof Unreachable || error instanceof ConnectionLost) return because(EXIT.unreachable, error)
  if (error instanceof Unfit || error instanceof NotProbed || error instanceof Unintelligible) {
    return because(EXIT.someFailed, error)
  }
  if (error instanceof Refusal) return because(error.exitCode, error, error.next)
  throw error
}

const WORST_FIRST: readonly ExitCode[] = [EXIT.someFailed, EXIT.noPermission, EXIT.unreachable]

export function worstOf(failures: readonly Failed[]): ExitCode {
  const has = (code: ExitCode) => failures.some(({ exitCode }) => exitCode === code)
  return WORST_FIRST.find(has) ?? failures[0]?.exitCode ?? EXIT.ok
}
