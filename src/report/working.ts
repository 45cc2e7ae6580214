import type { Terminal } from './terminal.ts'

/** Says on a terminal what takes its time, while it does; nothing elsewhere. */
export async function working<T>({ live }: Pick<Terminal, 'live'>, what: string, work: Promise<T>): Promise<T> {
  live?.show(() => [what])
  try {
    return await work
  } finally {
    live?.end()
  }
}
