import type { Terminal } from './terminal.ts'

/** Says on a terminal what takes its time, while it does; nothing elsewhere. */
export async function working<T>({ live, quiet, err, paint }: Terminal, what: string, work: Promise<T>): Promise<T> {
  if (!live || quiet) return await work
  err(`\r\u001b[K${paint.faint(what)}`)
  try {
    return await work
  } finally {
    err('\r\u001b[K')
  }
}
