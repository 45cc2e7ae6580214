import { settle } from '../node/protocol.ts'
import { findingOf } from './finding.ts'
import type { Serve } from './run-node.ts'

/** What a person says of a commit whose window is open. */
export type Word =
  | { readonly verb: 'confirm' }
  | { readonly verb: 'abort' }
  /** Milliseconds from now. */
  | { readonly verb: 'extend'; readonly by: number }

/** Tells a node; every connection is a new one, so a confirmation proves that the node can be reached. */
export function settling(run: string, word: Word): Serve {
  return async (link, enter) => {
    enter(word.verb)
    const verdict = await settle(link.connection, word.verb, [run, ...furtherWords(word)])
    return findingOf(word.verb, verdict, {
      status: word.verb === 'extend' ? 'awaiting' : 'converged',
      reason: word.verb,
    })
  }
}

function furtherWords(word: Word): readonly string[] {
  if (word.verb === 'abort') return ['a person took it back']
  return word.verb === 'extend' ? [String(Math.ceil(word.by / 1_000))] : []
}
