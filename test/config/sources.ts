import type { History, PastRun, Sources } from '../../src/config/references.ts'

/** A record that holds these runs, from the oldest to the newest. */
export function recordOf(...runs: readonly PastRun[]): History {
  return { runs: () => runs.map(({ id }) => id), run: (id) => runs.find((run) => run.id === id) }
}

export const NO_RUNS = recordOf()

export const HERE: Sources = { namedBy: '--limit', folder: '', history: NO_RUNS }
