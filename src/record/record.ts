/**
 * History on the controller: never the truth, the node is.
 *
 *   <folder>/<cloud>/runs/<run>.ndjson   a run's events, appended as they happen; outcomes are on disk before they are told
 *   <folder>/<cloud>/nodes/<node>.json   a node's last outcome, replaced by rename
 *
 * A crash or a full disk at any point leaves whole lines and whole files. That a node was unchanged is not worth waiting for
 * the disk, thousands of times in each round of a watch: it is written over what the node's file said before, in one piece
 * and within the room that the file has; a power cut may lose it, and then the file may be empty.
 */

import {
  appendFileSync,
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { EXIT, Refusal } from '../error.ts'
import type { RunEvent, ViewStamp } from '../run/event.ts'
import type { Outcome } from '../run/outcome.ts'

/** What is remembered of a node. */
export interface NodeRecord {
  readonly outcome: Outcome
  readonly run: string
  /** Absent after a command that goes by no view. */
  readonly view?: ViewStamp
  /** ISO 8601. */
  readonly time: string
}

export interface Record {
  /** Throws what the file system says when it takes no more. */
  tell(event: RunEvent, time: Date): void
  close(): void
}

export function openRecord(folder: string, cloud: string, run: string, view: ViewStamp | undefined): Record {
  const nodes = join(folder, cloud, 'nodes')
  const file = openRun(folder, cloud, run, nodes)
  return {
    tell(event, time) {
      appendLine(file, JSON.stringify({ time: time.toISOString(), ...event }))
      // Phases are for the reader of a live run; what must survive a power cut is how it began and what became of a node.
      const isLasting = event.type !== 'phase' && !(event.type === 'outcome' && isIdle(event.outcome))
      if (isLasting) fsyncSync(file)
      if (event.type === 'outcome' && !isAnothers(event.outcome))
        remember(nodes, { outcome: event.outcome, run, ...(view && { view }), time: time.toISOString() }, isLasting)
    },
    close: () => closeSync(file),
  }
}

/** Of a node that was not even asked, because another run has it, that run tells what becomes of it. */
function isAnothers({ heldElsewhere, phase }: Outcome): boolean {
  return heldElsewhere === true && phase === undefined
}

/** Nothing came of it. */
function isIdle({ status }: Outcome): boolean {
  return status === 'unchanged' || status === 'not-attempted'
}

/** Bytes of a node's file, for what comes later of the same length or so. */
const ROOM = 1_024

const OTHER_FOLDER = 'set EDGEPUSH_STATE to a folder of yours'

function openRun(folder: string, cloud: string, run: string, nodes: string): number {
  try {
    const runs = join(folder, cloud, 'runs')
    mkdirSync(runs, { recursive: true, mode: 0o700 })
    mkdirSync(nodes, { recursive: true, mode: 0o700 })
    return openSync(join(runs, `${run}.ndjson`), 'ax', 0o600)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Refusal(EXIT.noPermission, `the record cannot be written: ${why}`, OTHER_FOLDER)
  }
}

/** What there is room for of a line is worse than nothing: no reader could tell it from one that is whole. */
function appendLine(file: number, line: string): void {
  const { size } = fstatSync(file)
  try {
    appendFileSync(file, `${line}\n`)
  } catch (error) {
    ftruncateSync(file, size)
    throw error
  }
}

function remember(folder: string, record: NodeRecord, isLasting: boolean): void {
  const path = join(folder, `${record.outcome.node}.json`)
  const text = `${JSON.stringify(record, null, 2)}\n`
  if (!isLasting && overwrite(path, text)) return
  try {
    writeFileSync(`${path}.new`, text.padEnd(ROOM), { mode: 0o600, flush: isLasting })
    renameSync(`${path}.new`, path)
  } catch (error) {
    rmSync(`${path}.new`, { force: true })
    throw error
  }
}

/** Whether there was a file of ours with room for it: a rename waits for the disk. What follows in there is blanks. */
function overwrite(path: string, text: string): boolean {
  const file = openOrNot(path)
  if (file === undefined) return false
  try {
    const left = fstatSync(file).size - Buffer.byteLength(text)
    if (left < 0) return false
    writeSync(file, `${text}${' '.repeat(left)}`, 0)
    return true
  } finally {
    closeSync(file)
  }
}

/** Whatever keeps us from it, a file that replaces it has an error of its own. */
function openOrNot(path: string): number | undefined {
  try {
    return openSync(path, 'r+')
  } catch {
    return undefined
  }
}

/** By node; a node that was never pushed to is not in it. */
export function readRecord(folder: string, cloud: string): ReadonlyMap<string, NodeRecord> {
  const nodes = join(folder, cloud, 'nodes')
  const files = filesIn(nodes).filter((name) => name.endsWith('.json'))
  const records = files.map((name) => [name.slice(0, -'.json'.length), readNode(join(nodes, name))] as const)
  return new Map(records.flatMap(([name, record]) => (record ? [[name, record]] : [])))
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    const why = error instanceof Error ? error.message : String(error)
    throw new Refusal(EXIT.noPermission, `the record cannot be read: ${why}`, OTHER_FOLDER)
  }
}

/** Undefined for one that a power cut has emptied. */
function readNode(path: string): NodeRecord | undefined {
  try {
    const text = readFileSync(path, 'utf8')
    return text === '' ? undefined : (JSON.parse(text) as NodeRecord)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Refusal(EXIT.noInput, `${path}: the record of this node cannot be read: ${why}`, `remove it: rm ${path}`)
  }
}
