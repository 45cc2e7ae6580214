/**
 * What was given to the groups and instances of a cloud, kept because nobody could work it out again.
 *
 *   <folder>/<cloud>/allocation/<number>.json   the highest number counts
 *
 * Each state of it is a file of its own. It comes to its name by a link, which succeeds for one of all who try: whoever
 * went by a state that is not the last any more gets nothing recorded. A crash leaves whole files.
 */

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { EXIT, Refusal } from '../error.ts'
import { codeOf } from './lock-file.ts'

export interface Kept {
  /** 0 before anything was. */
  readonly number: number
  readonly given: Given
}

/** By name; `since` is ISO 8601. */
export interface Given {
  readonly segments?: { readonly network: string; readonly size: number } | undefined
  readonly tags: Readonly<Record<string, { readonly tag: number; readonly since: string }>>
  readonly addresses: Readonly<Record<string, { readonly address: string; readonly since: string }>>
}

const NOTHING: Given = { tags: {}, addresses: {} }
const ENDING = '.json'

export function readAllocation(folder: string, cloud: string): Kept {
  const place = join(folder, cloud, 'allocation')
  for (;;) {
    const [number = 0] = numbersIn(place)
    if (number === 0) return { number, given: NOTHING }
    try {
      return { number, given: JSON.parse(readFileSync(pathOf(place, number), 'utf8')) as Given }
    } catch (error) {
      // It may have been replaced since it was listed.
      if (codeOf(error) !== 'ENOENT') throw unreadable(error)
    }
  }
}

/** Of all clouds whose record is here. */
export function listAllocations(folder: string): readonly { readonly cloud: string; readonly given: Given }[] {
  return entriesOf(folder).map((cloud) => ({ cloud, given: readAllocation(folder, cloud).given }))
}

/** After `before`, and after nothing else. */
export function keepAllocation(folder: string, cloud: string, before: Kept, given: Given): Kept {
  const place = join(folder, cloud, 'allocation')
  const draft = join(place, `${randomBytes(8).toString('hex')}.new`)
  try {
    mkdirSync(place, { recursive: true, mode: 0o700 })
    writeFileSync(draft, `${JSON.stringify(given, null, 2)}\n`, { mode: 0o600, flush: true })
    linkSync(draft, pathOf(place, before.number + 1))
    sync(place)
    sweep(place, before.number)
    rmSync(draft)
    return { number: before.number + 1, given }
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw unreadable(error)
    rmSync(draft)
    const text = 'another run has given out tags or addresses meanwhile'
    throw new Refusal(EXIT.heldElsewhere, text, 'type it again')
  }
}

/** A link is there after a power cut only when its folder has reached the disk. */
function sync(place: string): void {
  const folder = openSync(place, 'r')
  fsyncSync(folder)
  closeSync(folder)
}

/** All but the last two. */
function sweep(place: string, last: number): void {
  for (const number of numbersIn(place)) if (number < last) rmSync(pathOf(place, number), { force: true })
}

/** The highest first. */
function numbersIn(place: string): readonly number[] {
  const names = entriesOf(place).flatMap((name) => /^([1-9][0-9]*)[.]json$/.exec(name)?.[1] ?? [])
  return names.map(Number).toSorted((a, b) => b - a)
}

function entriesOf(place: string): readonly string[] {
  try {
    return readdirSync(place).toSorted()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return []
    throw unreadable(error)
  }
}

function pathOf(place: string, number: number): string {
  return join(place, `${number}${ENDING}`)
}

function unreadable(error: unknown): unknown {
  if (error instanceof Refusal) return error
  const why = error instanceof Error ? error.message : String(error)
  return new Refusal(
    EXIT.noPermission,
    `what was given out cannot be kept: ${why}`,
    'set EDGEPUSH_STATE to a folder of yours',
  )
}
