/**
 * Logins to jump hosts, each of them shared by all nodes behind it for as long as it lasts.
 *
 * Who failed to log in has failed for all who ask next, as long as it took to find out: of thousands of nodes behind a
 * jump host that does not answer, those that have not begun need not wait for it once more, and one that refuses us is not
 * asked for each of them. It is asked again after that, because it may come back while nodes wait for a new connection.
 */

import { nameHop } from './jump-host.ts'
import { NotTrusted, type Target } from './transport.ts'

export interface Hops<T> {
  connect(hop: Target): Promise<T>
  /** Those that were ever made and are not known to have ended. */
  all(): readonly Promise<T>[]
}

interface Login<T> {
  readonly connection: Promise<T>
  /** On the clock of `performance.now`. */
  lasts: number
}

const SHORTEST = 1_000
/** Nothing that ends by itself: it is a person's to mend, and who is refused too often may be shut out. */
const REFUSED = 10_000

export function openHops<T>(logIn: (hop: Target) => Promise<T>, gone: (connection: T) => Promise<void>): Hops<T> {
  const logins = new Map<string, Login<T>>()

  function begin(hop: Target): Login<T> {
    const began = performance.now()
    const login: Login<T> = { connection: logIn(hop), lasts: Number.POSITIVE_INFINITY }
    login.connection.then(
      async (connection) => {
        await gone(connection)
        login.lasts = 0
      },
      (error: unknown) => {
        const now = performance.now()
        login.lasts = now + (error instanceof NotTrusted ? REFUSED : Math.max(SHORTEST, now - began))
      },
    )
    return login
  }

  return {
    connect(hop) {
      const name = nameHop(hop)
      const there = logins.get(name)
      if (there && performance.now() < there.lasts) return there.connection
      const login = begin(hop)
      logins.set(name, login)
      return login.connection
    },
    all: () => [...logins.values()].map(({ connection }) => connection),
  }
}
