/** A file of this host, read between two looks at it that agree. */

import { readFile, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT, Refusal } from '../../error.ts'
import type { SourcedView } from './sourced-view.ts'

const ATTEMPTS = 5
const PAUSE = 200

/** `origin` is how messages name it. */
export async function readLocalFile(file: string, origin: string): Promise<SourcedView> {
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt > 0) await sleep(PAUSE)
      const view = await readOnce(file, origin)
      if (view) return view
    }
  } catch (error) {
    throw explain(file, error)
  }
  throw new Refusal(EXIT.noSource, `${file} was rewritten each of the ${ATTEMPTS} times it was read`)
}

/** Undefined if the file changed meanwhile. */
async function readOnce(file: string, origin: string): Promise<SourcedView | undefined> {
  const before = await stat(file, { bigint: true })
  const bytes = await readFile(file)
  const after = await stat(file, { bigint: true })
  if (before.mtimeNs !== after.mtimeNs || before.ino !== after.ino) return undefined
  if (before.size !== after.size || BigInt(bytes.length) !== after.size) return undefined
  return { text: decode(file, bytes), origin, modified: after.mtime }
}

function decode(file: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Refusal(EXIT.badView, `${file} is not UTF-8 text`)
  }
}

function explain(file: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') return new Refusal(EXIT.noInput, `there is no file ${file}`)
  if (code === 'EISDIR') return new Refusal(EXIT.noInput, `${file} is a folder, not a file`)
  if (code === 'EACCES') return new Refusal(EXIT.noPermission, `${file} may not be read by this user`, `ls -l ${file}`)
  return error
}
