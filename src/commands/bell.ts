/** What wakes a command that waits: something has changed, somebody wants something, or it is time. */

export interface Bell {
  /** What was changed in between is one change, that of the first. */
  readonly change: () => void
  readonly hangUp: () => void
  /** Something went wrong beside us: whoever waits is told by the error itself. */
  readonly fail: (error: unknown) => void
  /** Until then at most, on the clock of `performance.now`; at once when it rang already. */
  readonly wait: (until: number) => Promise<Rung>
}

interface Rung {
  /** When a change was noticed. */
  readonly changed: number | undefined
  readonly isHangup: boolean
}

/** A timer knows no more milliseconds. */
const LONGEST = 2 ** 31 - 1

export function bell(signal: AbortSignal): Bell {
  let changed: number | undefined
  let isHangup = false
  let failure: { readonly error: unknown } | undefined
  let wake: () => void = () => undefined
  signal.addEventListener('abort', () => wake(), { once: true })

  return {
    change() {
      changed ??= performance.now()
      wake()
    },
    hangUp() {
      isHangup = true
      wake()
    },
    fail(error) {
      failure = { error }
      wake()
    },
    async wait(until) {
      if (changed === undefined && !isHangup && !failure && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.min(LONGEST, Math.max(0, until - performance.now())))
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      if (failure) throw failure.error
      const rung = { changed, isHangup }
      changed = undefined
      isHangup = false
      return rung
    },
  }
}
