/**
 * Connections that outlive the run that made them: who is asked again soon need not log in again.
 *
 * Invariants:
 * - of each target one idle connection at most is kept, and only the newest that was made; one that was lost never is;
 * - while a connection is handed out, whoever asks for another gets one that is really new: a run proves with it that the
 *   node still takes logins;
 * - nobody gets a connection that somebody else has.
 */

import type { Connection, Target, Transport } from './transport.ts'

export interface KeptTransport extends Transport {
  /** Closes what is idle; what is handed out is closed when it comes back. */
  release(): void
}

/** The newest connection to a target. */
interface Kept {
  readonly connection: Connection
  idle: boolean
}

export function keptTransport({ connect }: Transport): KeptTransport {
  const all = new Map<string, Kept>()

  function handOut(key: string, connection: Connection): Connection {
    const kept: Kept = { connection, idle: false }
    all.set(key, kept)
    let isBack = false
    return {
      sudoer: connection.sudoer,
      run: (...asked) => connection.run(...asked),
      whyLost: () => connection.whyLost(),
      close() {
        if (isBack) return
        isBack = true
        const isKept = all.get(key) === kept && connection.whyLost() === undefined
        if (isKept) kept.idle = true
        else discard(key, kept)
      },
    }
  }

  function discard(key: string, kept: Kept): void {
    if (all.get(key) === kept) all.delete(key)
    kept.connection.close()
  }

  return {
    async connect(target) {
      const key = keyOf(target)
      const kept = all.get(key)
      if (kept?.idle && kept.connection.whyLost() === undefined) return handOut(key, kept.connection)
      if (kept?.idle) discard(key, kept)
      return handOut(key, await connect(target))
    },
    release() {
      for (const { connection, idle } of all.values()) if (idle) connection.close()
      all.clear()
    },
  }
}

/** Where, as whom and by which way; not how long that may take. */
function keyOf({ connectTimeout: _, ...rest }: Target): string {
  return JSON.stringify(rest)
}
