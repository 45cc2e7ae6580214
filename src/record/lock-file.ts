/**
 * A lock that one of all who try gets, and that nobody keeps whose process is gone.
 *
 * It is made by linking to a file that says whose it is, which succeeds for one, with its whole content. A lock whose
 * process is gone is replaced by rename. Who may do that is decided by another lock, `<lock>.after-<run>`, which is taken in
 * the same way, and under which it is looked again whether the lock is still that run's: no run comes twice, so nobody is
 * ever driven out by who looked too long ago. Killed anywhere in between, a run leaves nothing but locks of one who is gone.
 */

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { EXIT, Refusal } from '../error.ts'
import { lifeOf, type Owner } from './owner.ts'

/** A file that says who we are, for links to it. */
export interface Me {
  readonly file: string
  readonly run: string
}

const AFTER = '.after-'

export type Taken = { readonly after: Owner | undefined } | { readonly heldBy: Owner }

export function take(path: string, me: Me): Taken {
  for (;;) {
    if (link(me.file, path)) return { after: undefined }
    const holder = readOwner(path)
    if (!holder) continue
    if (lifeOf(holder) !== 'gone') return { heldBy: holder }
    const succession = succeed(path, holder.run, me, () => {
      const mine = `${path}.new-${me.run}`
      link(me.file, mine)
      renameSync(mine, path)
    })
    if (succession === 'done') return { after: holder }
    if (succession !== 'changed') return { heldBy: succession }
  }
}

/** Whether it was still that run's. */
export function remove(path: string, run: string, me: Me): boolean {
  return succeed(path, run, me, () => rmSync(path)) === 'done'
}

/** Does it while the lock is that run's and nobody else can change that. */
function succeed(path: string, run: string, me: Me, act: () => void): 'done' | 'changed' | Owner {
  const claim = `${path}${AFTER}${run}`
  const claimed = take(claim, me)
  if ('heldBy' in claimed) return claimed.heldBy
  try {
    if (readOwner(path)?.run !== run) return 'changed'
    act()
    return 'done'
  } finally {
    rmSync(claim, { force: true })
  }
}

/**
 * Whether it is the right to succeed a run at a lock that is no longer that run's: nobody can do anything with it, so it may
 * be removed whoever has it.
 */
export function isSpent(path: string): boolean {
  const at = path.lastIndexOf(AFTER)
  return at > 0 && readOwner(path.slice(0, at))?.run !== path.slice(at + AFTER.length)
}

/** On disk before it is linked: a lock that a power cut left behind still says whose it was. */
export function introduce(file: string, owner: Owner): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(file, `${JSON.stringify(owner)}\n`, { mode: 0o600, flush: true })
}

/** False where there is one already. */
function link(file: string, path: string): boolean {
  try {
    linkSync(file, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Undefined when it has just been removed. */
export function readOwner(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    const why = error instanceof Error ? error.message : String(error)
    throw new Refusal(EXIT.noPermission, `${path}: the lock cannot be read: ${why}`, `remove it: rm ${path}`)
  }
}

/** Of an error of the file system; empty for any other. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
