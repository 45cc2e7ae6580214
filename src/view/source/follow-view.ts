/**
 * Notices that a view was rewritten: by a look at the file each second, or by a command on the cloud controller that looks
 * four times a second and says when there is something to say.
 *
 * Nothing is read here: whoever is told fetches the view as always. What changed while a connection was lost is told when
 * there is one again.
 */

import { randomBytes } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandFor, inputOf } from '../../node/command.ts'
import { type Connection, ConnectionLost, NotTrusted, type Transport, Unreachable } from '../../node/transport.ts'
import type { ViewSource } from './fetch-view.ts'
import { readWatchLine, writeWatchScript } from './watch-script.ts'

interface Following {
  readonly transport: Transport
  /** Ends it. */
  readonly signal: AbortSignal
  readonly onChange: () => void
  /** The source cannot be followed for the moment, and why; undefined when it can again. */
  readonly onLost: (why: string | undefined) => void
}

const EVERY = 1_000

/** Milliseconds; longer than the command lasts by itself. */
const TIMEOUT = 3_600_000

const SHORTEST_PAUSE = 1_000
const LONGEST_PAUSE = 60_000

/** Settles when it is ended; throws nothing but bugs. */
export async function followView(source: ViewSource, following: Following): Promise<void> {
  const { instances } = source
  await Promise.all([
    source.kind === 'file' ? followFile(source.file, following) : followRemote(source, following),
    // A command says nothing by itself.
    instances?.kind === 'file' ? followFile(instances.file, following) : undefined,
  ])
}

async function followFile(file: string, { signal, onChange }: Following): Promise<void> {
  let before = await lookOf(file)
  while (!signal.aborted) {
    await pause(EVERY, signal)
    const now = await lookOf(file)
    if (now === before) continue
    before = now
    if (!signal.aborted) onChange()
  }
}

/** Of a file, or of all that is in a folder. */
async function lookOf(file: string): Promise<string> {
  const names = await readdir(file).catch(() => undefined)
  if (names) return (await Promise.all(names.toSorted().map((name) => lookOf(join(file, name))))).join('\n')
  const stats = await stat(file, { bigint: true }).catch(() => undefined)
  return stats ? `${file} ${stats.size} ${stats.mtimeNs} ${stats.ino}` : `${file} none`
}

type Remote = Extract<ViewSource, { kind: 'ssh' }>

async function followRemote(source: Remote, following: Following): Promise<void> {
  const { signal, onLost, onChange } = following
  let before: string | undefined
  let losses = 0
  const onLook = (look: string) => {
    losses = 0
    onLost(undefined)
    const isNew = look !== before
    before = look
    if (isNew) onChange()
  }
  while (!signal.aborted) {
    try {
      await followOnce(source, following, onLook)
    } catch (error) {
      if (signal.aborted) return
      onLost(explain(error))
      losses += 1
      const longest = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** (losses - 1))
      await pause(longest * (0.5 + Math.random() / 2), signal)
    }
  }
}

async function followOnce(
  { target, file }: Remote,
  { transport, signal }: Following,
  onLook: (look: string) => void,
): Promise<void> {
  const connection = await transport.connect(target)
  const end = () => connection.close()
  signal.addEventListener('abort', end, { once: true })
  try {
    while (!signal.aborted) await listen(connection, file, onLook)
  } finally {
    signal.removeEventListener('abort', end)
    connection.close()
  }
}

async function listen(connection: Connection, file: string, onLook: (look: string) => void): Promise<void> {
  const mark = `edgepush-${randomBytes(8).toString('hex')}`
  const input = inputOf(writeWatchScript(file, mark))
  const { code, stderr } = await connection.run(commandFor(connection.sudoer), input, TIMEOUT, (line) => {
    const look = readWatchLine(line, mark)
    if (look !== undefined) onLook(look)
    return undefined
  })
  if (code !== 0) throw new ConnectionLost(`its shell ended with ${code}: ${stderr.trim().split('\n').at(-1) ?? ''}`)
}

function explain(error: unknown): string {
  const isExpected = error instanceof Unreachable || error instanceof NotTrusted || error instanceof ConnectionLost
  if (isExpected) return error.message
  throw error
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined)
}
