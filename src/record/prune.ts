/**
 * Runs that are of no use any more are removed when another one ends: a watch makes thousands.
 *
 * Kept are the newest, and of older ones each that was the last of some node, because `status` names it, the last push,
 * which `retry` asks for, and each that has not ended. Crash safe: a run is one file, and which ones may go is found out
 * anew each time.
 */

import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ENDING, historyOf, runsFolder } from './history.ts'
import { ownerFile } from './lock.ts'
import { readRecord } from './record.ts'

const KEPT = 200
/** So many more before any is removed: to find out costs a look at every node's last outcome. */
const SLACK = 50

/** As runs are named; what else somebody has put there is left alone. */
const OURS = /^\d{8}T\d{6}Z-[0-9a-f]+$/

/** Throws what the file system says. */
export function pruneRuns(folder: string, cloud: string): void {
  const history = historyOf(folder, cloud)
  const runs = history.runs().filter((run) => OURS.test(run))
  if (runs.length <= KEPT + SLACK) return
  const last = lastRuns(folder, cloud)
  const push = runs.findLast((run) => history.command(run) === 'push')
  for (const run of runs.slice(0, -KEPT)) {
    if (run === push || last.has(run) || existsSync(ownerFile(folder, cloud, run))) continue
    rmSync(join(runsFolder(folder, cloud), `${run}${ENDING}`), { force: true })
  }
}

function lastRuns(folder: string, cloud: string): ReadonlySet<string> {
  return new Set([...readRecord(folder, cloud).values()].map(({ run }) => run))
}
