import { settle, type Verdict } from '../node/protocol.ts'
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
    const status = word.verb === 'extend' ? 'awaiting' : 'converged'
    const finding = findingOf(word.verb, verdict, { status, reason: word.verb })
    return isAsAsked(word, verdict) ? { ...finding, reason: TAKEN_BACK } : finding
  }
}

/** Going back is no failure when a person wants it. */
function isAsAsked(word: Word, { state, errors }: Verdict): boolean {
  return word.verb === 'abort' && state === 'rolled-back' && errors.length === 0
}

const TAKEN_BACK = 'a person took it back'

function furtherWords(word: Word): readonly string[] {
  if (word.verb === 'abort') return [TAKEN_BACK]
  return word.verb === 'extend' ? [String(Math.ceil(word.by / 1_000))] : []
}
