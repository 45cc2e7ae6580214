/**
 * One run at a time has a node.
 *
 *   <folder>/<cloud>/locks/<node>.lock   a link to the file of the run that has it, and says whose it is
 *   <folder>/<cloud>/locks/<run>.owner   that file, as long as the run lasts
 */

import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT, Refusal } from '../error.ts'
import { codeOf, introduce, isSpent, readOwner, remove, take } from './lock-file.ts'
import { type Life, lifeOf, type Owner } from './owner.ts'

export interface Holding {
  /** Nodes that others have. */
  readonly heldByOthers: ReadonlyMap<string, Owner>
  /** Nodes that were left behind, with whom. */
  readonly inherited: ReadonlyMap<string, Owner>
  /** Never throws. */
  release(): void
}

export interface Lock {
  readonly cloud: string
  readonly node: string
  readonly owner: Owner
  readonly life: Life
}

const ENDING = '.lock'

export function holdNodes(folder: string, cloud: string, nodes: readonly string[], owner: Owner): Holding {
  const locks = join(folder, cloud, 'locks')
  const me = { file: ownerFile(folder, cloud, owner.run), run: owner.run }
  const held: string[] = []
  const heldByOthers = new Map<string, Owner>()
  const inherited = new Map<string, Owner>()
  const release = () => {
    for (const node of held) leave(() => remove(pathOf(locks, node), me.run, me))
    leave(() => rmSync(me.file, { force: true }))
  }
  try {
    introduce(me.file, owner)
    for (const node of nodes) {
      const taken = take(pathOf(locks, node), me)
      if ('heldBy' in taken) heldByOthers.set(node, taken.heldBy)
      else held.push(node)
      if ('after' in taken && taken.after) inherited.set(node, taken.after)
    }
    sweep(locks)
  } catch (error) {
    release()
    throw unwritable(error)
  }
  return { heldByOthers, inherited, release }
}

/** There as long as the run lasts. */
export function ownerFile(folder: string, cloud: string, run: string): string {
  return join(folder, cloud, 'locks', `${run}.owner`)
}

/** Of all clouds whose record is here. */
export function listLocks(folder: string): readonly Lock[] {
  return entriesOf(folder).flatMap((cloud) => {
    const locks = join(folder, cloud, 'locks')
    return entriesOf(locks).flatMap((name): readonly Lock[] => {
      if (!name.endsWith(ENDING)) return []
      const owner = readOwner(join(locks, name))
      return owner ? [{ cloud, node: name.slice(0, -ENDING.length), owner, life: lifeOf(owner) }] : []
    })
  })
}

/** Those of them that were still there to be removed. */
export function removeLocks(folder: string, locks: readonly Lock[], remover: Owner): readonly Lock[] {
  const clouds = [...new Set(locks.map(({ cloud }) => cloud))]
  try {
    return clouds.flatMap((cloud) => {
      const place = join(folder, cloud, 'locks')
      const me = { file: join(place, `${remover.run}.owner`), run: remover.run }
      introduce(me.file, remover)
      const ofCloud = locks.filter((lock) => lock.cloud === cloud)
      const removed = ofCloud.filter(({ node, owner }) => remove(pathOf(place, node), owner.run, me))
      rmSync(me.file)
      return removed
    })
  } catch (error) {
    throw unwritable(error)
  }
}

/** What runs that were killed between two steps have left, and no lock is linked to. */
function sweep(locks: string): void {
  for (const name of entriesOf(locks)) {
    const path = join(locks, name)
    const isAside = name.endsWith('.owner') && statSync(path, { throwIfNoEntry: false })?.nlink === 1
    // One that was never finished cannot be read: it is in nobody's way, and may be of who begins just now.
    leave(() => {
      if (isSpent(path)) rmSync(path, { force: true })
      if (!isAside && !name.includes(`${ENDING}.new-`)) return
      const owner = readOwner(path)
      if (owner && lifeOf(owner) === 'gone') rmSync(path, { force: true })
    })
  }
}

function pathOf(locks: string, node: string): string {
  return join(locks, `${node}${ENDING}`)
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return []
    throw unwritable(error)
  }
}

function leave(act: () => void): void {
  try {
    act()
  } catch {
    // Whoever comes next finds that we are gone.
  }
}

function unwritable(error: unknown): unknown {
  if (error instanceof Refusal || codeOf(error) === '') return error
  const why = error instanceof Error ? error.message : String(error)
  return new Refusal(EXIT.noPermission, `the locks of the nodes: ${why}`, 'set EDGEPUSH_STATE to a folder of yours')
}
