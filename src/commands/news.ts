import type { Terminal } from '../report/terminal.ts'

export interface News {
  /** Says what it did not say in the round before. */
  readonly terminal: Terminal
  /** Another round begins. */
  readonly turn: () => void
}

/** For what is told again and again: a warning that stays true is news only once. */
export function newsOnly(terminal: Terminal): News {
  let before = new Set<string>()
  let now = new Set<string>()
  return {
    terminal: {
      ...terminal,
      err(text) {
        if (!before.has(text) && !now.has(text)) terminal.err(text)
        now.add(text)
      },
    },
    turn() {
      before = now
      now = new Set()
    },
  }
}
