/**
 * Connections that outlive the run that made them: who is asked again soon need not log in again.
 *
 * Invariants:
 * - of each target one idle connection at most is kept, and only the newest that was made; one that was lost, or in the
 *   middle of a command, never is; whatever is not kept is closed;
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
  let all = new Map<string, Kept>()

  /** `among` are those that were kept when it was asked for: what is released in between is not kept any more. */
  function handOut(among: Map<string, Kept>, key: string, connection: Connection): Connection {
    const kept: Kept = { connection, idle: false }
    const older = among.get(key)
    if (older?.idle && older.connection !== connection) older.connection.close()
    among.set(key, kept)
    let isBack = false
    let isBusy = false
    return {
      sudoer: connection.sudoer,
      run(...asked) {
        isBusy = true
        return connection.run(...asked).finally(() => {
          isBusy = false
        })
      },
      whyLost: () => connection.whyLost(),
      close() {
        if (isBack) return
        isBack = true
        const isKept = all.get(key) === kept && !isBusy && connection.whyLost() === undefined
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
      const among = all
      const kept = among.get(key)
      if (kept?.idle && kept.connection.whyLost() === undefined) return handOut(among, key, kept.connection)
      if (kept?.idle) discard(key, kept)
      return handOut(among, key, await connect(target))
    },
    release() {
      for (const { connection, idle } of all.values()) if (idle) connection.close()
      all = new Map()
    },
  }
}

/** Where, as whom and by which way; not how long that may take. */
function keyOf({ connectTimeout: _, ...rest }: Target): string {
  return JSON.stringify(rest)
}
