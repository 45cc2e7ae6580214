/**
 * Where the nodes of a batch wait for one another before any of them is changed.
 *
 * Invariants: it is decided once, for all who wait, when each of the batch has either come or ended before; who comes after
 * an early end is told what the others were told.
 */

export type Going = { readonly may: true } | { readonly may: false; readonly why: string }

export interface Barrier {
  /** For one node of the batch. */
  place(): Place
}

export interface Place {
  /** The node is ready. */
  arrive(): Promise<Going>
  /** Settles when it is, or has ended before. */
  readonly passed: Promise<void>
  /** The node is done, whether it came to the barrier or not. */
  end(): void
}

export function barrier(size: number, decide: () => Going, signal: AbortSignal): Barrier {
  let awaited = size
  let tell: (going: Going) => void = () => undefined
  const decided = new Promise<Going>((resolve) => {
    tell = resolve
  })
  const settle = () => tell(decide())
  if (signal.aborted) settle()
  else signal.addEventListener('abort', settle, { once: true })

  function pass(): void {
    awaited -= 1
    if (awaited > 0) return
    signal.removeEventListener('abort', settle)
    settle()
  }

  return {
    place() {
      let isPassed = false
      let announce: () => void = () => undefined
      const passed = new Promise<void>((resolve) => {
        announce = resolve
      })
      const once = () => {
        if (isPassed) return
        isPassed = true
        announce()
        pass()
      }
      return {
        passed,
        arrive() {
          once()
          return decided
        },
        end: once,
      }
    },
  }
}
