import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { pruneRuns } from '../../src/record/prune.ts'
import { edgepush } from '../commands/cli.ts'

let folder: string
let runs: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-prune-'))
  runs = join(folder, 'lab/runs')
  mkdirSync(runs, { recursive: true })
})

afterEach(() => rmSync(folder, { recursive: true }))

/** The first is the oldest. */
function runAt(index: number): string {
  return `${new Date(index * 60_000).toISOString().replace(/[-:]|\..*/g, '')}Z-0a1b2c`
}

function make(count: number): void {
  for (let index = 0; index < count; index += 1) writeFileSync(join(runs, `${runAt(index)}.ndjson`), '')
}

function left(): readonly string[] {
  return readdirSync(runs)
    .map((name) => name.replace('.ndjson', ''))
    .toSorted()
}

function lastOf(node: string, run: string): void {
  mkdirSync(join(folder, 'lab/nodes'), { recursive: true })
  const outcome = { node, status: 'unreachable', notes: [], milliseconds: 0 }
  writeFileSync(join(folder, `lab/nodes/${node}.json`), JSON.stringify({ outcome, run, time: '' }))
}

const all = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => runAt(from + index))

it('leaves two hundred and fifty runs, and of one more the newest two hundred', () => {
  make(250)
  pruneRuns(folder, 'lab')
  expect(left()).toEqual(all(0, 250))
  make(251)
  pruneRuns(folder, 'lab')
  expect(left()).toEqual(all(51, 251))
})

it('leaves the last push, for a retry, however often was watched since', () => {
  make(300)
  const begin = (index: number, command: string) =>
    writeFileSync(
      join(runs, `${runAt(index)}.ndjson`),
      `${JSON.stringify({ time: '', type: 'run-started', run: runAt(index), command, nodes: ['nc-01'] })}\n`,
    )
  begin(2, 'push')
  begin(5, 'push')
  for (let index = 6; index < 300; index += 1) begin(index, 'watch')
  pruneRuns(folder, 'lab')
  expect(left()).toEqual([runAt(5), ...all(100, 300)])
})

it('leaves the last run of every node, those that have not ended, and what is not ours', () => {
  make(300)
  lastOf('nc-01', runAt(3))
  lastOf('nc-02', runAt(299))
  mkdirSync(join(folder, 'lab/locks'))
  writeFileSync(join(folder, `lab/locks/${runAt(7)}.owner`), '')
  writeFileSync(join(runs, '0-mine.ndjson'), '')
  pruneRuns(folder, 'lab')
  expect(left()).toEqual(['0-mine', runAt(3), runAt(7), ...all(100, 300)].toSorted())
})

it('goes on after a crash in the middle of it', () => {
  make(300)
  for (const run of all(10, 40)) rmSync(join(runs, `${run}.ndjson`))
  pruneRuns(folder, 'lab')
  expect(left()).toEqual(all(100, 300))
})

it('removes nothing while it is not known which runs nodes had last', () => {
  make(300)
  mkdirSync(join(folder, 'lab/nodes'))
  writeFileSync(join(folder, 'lab/nodes/nc-01.json'), '{"outco')
  expect(() => pruneRuns(folder, 'lab')).toThrow(expect.objectContaining({ exitCode: 66 }))
  expect(left()).toHaveLength(300)
})

it('is done when a run ends, which ends as it would have if it cannot be done', async () => {
  make(300)
  writeFileSync(join(folder, 'known_hosts'), '')
  writeFileSync(
    join(folder, 'inventory.yml'),
    `cloud: lab\ndefaults: { role: nc, ssh: { known_hosts: ./known_hosts, host: 127.0.0.1, port: 1, key: ./none } }\nnodes: { nc-01: { address: 10.0.0.1 } }\n`,
  )
  const release = () => edgepush(['release', '-i', 'inventory.yml', '--node', 'nc-01'], folder, folder)
  const pruned = await release()
  expect(pruned.stderr).not.toContain('warning')
  expect(left()).toHaveLength(200)
  make(300)
  rmSync(join(folder, 'lab/nodes'), { recursive: true })
  mkdirSync(join(folder, 'lab/nodes'))
  writeFileSync(join(folder, 'lab/nodes/nc-02.json'), '{"outco')
  const kept = await release()
  expect(kept.code).toBe(pruned.code)
  expect(kept.stderr).toContain('warning: old runs stay in the record: ')
})
