/** What became of earlier runs, read from their events; a run that was cut off has nodes without an outcome. */

import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT, Refusal } from '../error.ts'
import type { RunEvent } from '../run/event.ts'
import { isGood, isOpen, type Outcome } from '../run/outcome.ts'

interface PastRun {
  readonly id: string
  readonly command: string
  readonly nodes: readonly string[]
  /** Whatever kept them from a good end, also that the run ended before them. */
  readonly failed: readonly string[]
  /** Whose commit may still wait for a word, also because the run ended before it knew. */
  readonly open: readonly string[]
}

interface History {
  /** From the oldest to the newest. */
  runs(): readonly string[]
  run(id: string): PastRun | undefined
  /** Without reading the run, of which there may be hundreds with thousands of nodes. */
  command(id: string): string | undefined
}

export const ENDING = '.ndjson'

export function historyOf(folder: string, cloud: string): History {
  const runs = runsFolder(folder, cloud)
  return {
    runs: () => runsIn(runs),
    run: (id) => readRun(join(runs, `${id}${ENDING}`), id),
    command: (id) => readCommand(join(runs, `${id}${ENDING}`)),
  }
}

export function runsFolder(folder: string, cloud: string): string {
  return join(folder, cloud, 'runs')
}

/** The name of a run begins with its time. */
function runsIn(folder: string): readonly string[] {
  try {
    const files = readdirSync(folder).filter((name) => name.endsWith(ENDING))
    return files.map((name) => name.slice(0, -ENDING.length)).toSorted()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw unreadable(folder, error)
  }
}

/** Undefined for a run of which not even the beginning was written. */
function readRun(path: string, id: string): PastRun | undefined {
  const events = readEvents(path)
  const started = events.find((event) => event.type === 'run-started')
  if (!started) return undefined
  const ended = new Map<string, Outcome>()
  for (const event of events) if (event.type === 'outcome') ended.set(event.outcome.node, event.outcome)
  const { command, nodes } = started
  const those = (are: (outcome: Outcome | undefined) => boolean) => nodes.filter((node) => are(ended.get(node)))
  return { id, command, nodes, failed: those((outcome) => !outcome || !isGood(outcome)), open: those(isOpen) }
}

/** It stands at the beginning of the first line, before what is long. */
function readCommand(path: string): string | undefined {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const head = Buffer.alloc(HEAD)
    const length = readSync(file, head)
    return /"type":"run-started".*?"command":"([^"]*)"/.exec(head.toString('utf8', 0, length))?.[1]
  } catch (error) {
    throw unreadable(path, error)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

const HEAD = 512

function readEvents(path: string): readonly RunEvent[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as RunEvent)
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, error: unknown): Refusal {
  const why = error instanceof Error ? error.message : String(error)
  return new Refusal(EXIT.noInput, `${path}: the record of this run cannot be read: ${why}`, 'name the nodes instead')
}
