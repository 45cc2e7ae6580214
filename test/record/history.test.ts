import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { historyOf } from '../../src/record/history.ts'
import { openRecord } from '../../src/record/record.ts'
import type { Status } from '../../src/run/outcome.ts'

const TIME = new Date('2026-01-02T03:04:05.678Z')

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-history-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function recordRun(run: string, nodes: readonly string[], outcomes: Readonly<Record<string, Status>>): void {
  const record = openRecord(folder, 'lab', run, undefined)
  record.tell({ type: 'run-started', command: 'push', run, cloud: 'lab', view: undefined, nodes }, TIME)
  for (const [node, status] of Object.entries(outcomes)) {
    record.tell({ type: 'phase', node, phase: 'connect' }, TIME)
    record.tell({ type: 'outcome', outcome: { node, status, notes: [], milliseconds: 1 } }, TIME)
  }
  record.close()
}

it('tells which nodes came to no good end, also those that the run did not come to', () => {
  const outcomes = {
    a: 'converged',
    b: 'refused',
    c: 'unchanged',
    d: 'rolled-back',
    e: 'awaiting',
    f: 'unreachable',
    g: 'unknown',
    h: 'reverting',
    i: 'released',
    j: 'not-attempted',
  } as const
  recordRun('one', [...Object.keys(outcomes), 'k'], outcomes)
  expect(historyOf(folder, 'lab').run('one')).toEqual({
    id: 'one',
    command: 'push',
    nodes: [...'abcdefghijk'],
    failed: [...'bdfghjk'],
    open: [...'eghk'],
  })
})

it('lists runs by their time, which their names begin with', () => {
  for (const run of ['20260102T000000Z-aaaaaa', '20251231T235959Z-ffffff', '20260101T000000Z-bbbbbb']) {
    recordRun(run, [], {})
  }
  expect(historyOf(folder, 'lab').runs()).toEqual([
    '20251231T235959Z-ffffff',
    '20260101T000000Z-bbbbbb',
    '20260102T000000Z-aaaaaa',
  ])
})

it('has no runs of a cloud that was never pushed to', () => {
  expect(historyOf(folder, 'lab').runs()).toEqual([])
})

it('knows nothing of a run that had not even begun', () => {
  openRecord(folder, 'lab', 'one', undefined).close()
  expect(historyOf(folder, 'lab').run('one')).toBeUndefined()
})

it('says which run cannot be read', () => {
  recordRun('one', ['a'], {})
  appendFileSync(join(folder, 'lab/runs/one.ndjson'), '{"type":')
  expect(() => historyOf(folder, 'lab').run('one')).toThrow(
    expect.objectContaining({
      exitCode: 66,
      message: expect.stringMatching(/runs\/one\.ndjson: the record of this run cannot be read: /),
    }),
  )
})

it('says that none of them can be read', () => {
  mkdirSync(join(folder, 'lab'))
  writeFileSync(join(folder, 'lab/runs'), '')
  expect(() => historyOf(folder, 'lab').runs()).toThrow(expect.objectContaining({ exitCode: 66 }))
})

it('tells the command of a run without reading all of it', () => {
  recordRun('one', ['a'], {})
  appendFileSync(join(folder, 'lab/runs/one.ndjson'), '{"torn')
  const history = historyOf(folder, 'lab')
  expect(history.command('one')).toBe('push')
  expect(() => history.run('one')).toThrow('cannot be read')
  writeFileSync(join(folder, 'lab/runs/two.ndjson'), '')
  expect(history.command('two')).toBeUndefined()
})
