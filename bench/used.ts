// What edgepush has used up to the end of each of its runs, as it is asked by itself: no other process is in between.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { RunEvent } from '../src/run/event.ts'

export interface Used {
  /** Milliseconds. */
  readonly cpu: number
  /** KiB, at its highest. */
  readonly memory: number
}

/** For Node's command line; needs `--json` of what it runs. */
export const TELL_USED = `data:text/javascript,${encodeURIComponent(`
const { write } = process.stdout
process.stdout.write = function (text, ...rest) {
  const went = write.call(this, text, ...rest)
  if (!String(text).includes('"run-finished"')) return went
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  process.stderr.write('used ' + (userCPUTime + systemCPUTime) / 1000 + ' ' + maxRSS + '\\n')
  return went
}`)}`

interface Moments {
  readonly onFirst: () => Promise<void>
  readonly onLast: () => Promise<void>
  readonly end: () => void
}

interface Rounds extends Used {
  /** Milliseconds of each round. */
  readonly walls: readonly number[]
}

/**
 * Of a watch: the first round logs in and is not counted; `onFirst` and `onLast` come when that and the last are over. `end`
 * tells the watch to end, which may not be the process that was started here.
 */
export async function watchedRounds(
  child: ChildProcess,
  rounds: number,
  { onFirst, onLast, end }: Moments,
): Promise<Rounds> {
  const used = readUsed(child)
  const walls: number[] = []
  const wrong: unknown[] = []
  let began = 0
  let finished = 0
  if (!child.stdout) throw new Error('the watch has no output')
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as RunEvent
    if (event.type === 'run-started') began = performance.now()
    if (event.type === 'outcome' && event.outcome.status !== 'unchanged') wrong.push(event.outcome)
    if (event.type !== 'run-finished') continue
    finished += 1
    if (finished === 1) await onFirst()
    else walls.push(performance.now() - began)
    if (finished <= rounds) continue
    await onLast()
    end()
    break
  }
  if (child.exitCode === null) await once(child, 'exit')
  const [first, last] = [used()[0], used()[rounds]]
  if (wrong.length > 0 || !first || !last) throw new Error(`the watch went wrong: ${JSON.stringify(wrong[0])}`)
  return { walls, cpu: (last.cpu - first.cpu) / rounds, memory: last.memory }
}

/** At the end of each run so far. */
export function readUsed(child: ChildProcess): () => readonly Used[] {
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  return () => usedIn(said)
}

export function usedIn(stderr: string): readonly Used[] {
  return [...stderr.matchAll(/^used (\S+) (\d+)$/gm)].map(([, cpu, memory]) => ({
    cpu: Number(cpu),
    memory: Number(memory),
  }))
}
