import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openRecord, readRecord } from '../../src/record/record.ts'
import type { Outcome } from '../../src/run/outcome.ts'

const VIEW = { origin: 'view.xml', version: '5e1fb7c0', digest: 'd0d0' }
const TIME = new Date('2026-01-02T03:04:05.678Z')

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-record-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function outcome(node: string, status: Outcome['status']): Outcome {
  return { node, status, notes: ['a "note"\nof two lines'], milliseconds: 12 }
}

function recordRun(run: string, outcomes: readonly Outcome[]): void {
  const record = openRecord(folder, 'lab', run, VIEW)
  record.tell(
    { type: 'run-started', command: 'push', run, cloud: 'lab', view: VIEW, nodes: outcomes.map(({ node }) => node) },
    TIME,
  )
  for (const one of outcomes) {
    record.tell({ type: 'phase', node: one.node, phase: 'connect' }, TIME)
    record.tell({ type: 'outcome', outcome: one }, TIME)
  }
  record.close()
}

it('keeps every event of a run as a line, and the last outcome of every node', () => {
  recordRun('one', [outcome('nc-01', 'converged'), outcome('nc-02', 'refused')])
  recordRun('two', [outcome('nc-02', 'unchanged')])

  const lines = readFileSync(join(folder, 'lab/runs/one.ndjson'), 'utf8').trimEnd().split('\n')
  const events = lines.map((line): { readonly type: string; readonly time: string } => JSON.parse(line))
  expect(events.map(({ type }) => type)).toEqual(['run-started', 'phase', 'outcome', 'phase', 'outcome'])
  expect(new Set(events.map(({ time }) => time))).toEqual(new Set([TIME.toISOString()]))

  const stamp = { view: VIEW, time: TIME.toISOString() }
  expect([...readRecord(folder, 'lab')]).toEqual([
    ['nc-01', { outcome: outcome('nc-01', 'converged'), run: 'one', ...stamp }],
    ['nc-02', { outcome: outcome('nc-02', 'unchanged'), run: 'two', ...stamp }],
  ])
})

it('is for its owner only', () => {
  recordRun('one', [outcome('nc-01', 'converged')])
  const mode = (path: string) => statSync(join(folder, 'lab', path)).mode & 0o777
  expect([mode('runs'), mode('nodes'), mode('runs/one.ndjson'), mode('nodes/nc-01.json')]).toEqual([
    0o700, 0o700, 0o600, 0o600,
  ])
})

it('has nothing of a cloud that was never pushed to', () => {
  expect(readRecord(folder, 'lab')).toEqual(new Map())
})

it('passes over what a crash left behind', () => {
  recordRun('one', [outcome('nc-01', 'converged')])
  writeFileSync(join(folder, 'lab/nodes/nc-01.json.new'), '{"outco')
  expect([...readRecord(folder, 'lab').keys()]).toEqual(['nc-01'])
  recordRun('two', [outcome('nc-01', 'converged')])
  expect(readdirSync(join(folder, 'lab/nodes'))).toEqual(['nc-01.json'])
})

it.each(['x', 'x'.repeat(2_000)])(
  'says of a node that was unchanged what is new, however long it was before',
  (reason) => {
    const path = join(folder, 'lab/nodes/nc-01.json')
    recordRun('one', [outcome('nc-01', 'converged')])
    const { ino } = statSync(path)
    recordRun('two', [{ ...outcome('nc-01', 'unchanged'), notes: [reason] }])
    recordRun('three', [outcome('nc-01', 'unchanged')])
    expect(readRecord(folder, 'lab').get('nc-01')).toMatchObject({
      run: 'three',
      outcome: outcome('nc-01', 'unchanged'),
    })
    // Short words go where the old ones stood.
    expect(statSync(path).ino === ino).toBe(reason.length < 1_000)
  },
)

it('passes over a node whose last word a power cut has lost', () => {
  recordRun('one', [outcome('nc-01', 'converged'), outcome('nc-02', 'unchanged')])
  writeFileSync(join(folder, 'lab/nodes/nc-02.json'), '')
  expect([...readRecord(folder, 'lab').keys()]).toEqual(['nc-01'])
})

it('says which file cannot be read, and what to do', () => {
  mkdirSync(join(folder, 'lab/nodes'), { recursive: true })
  const path = join(folder, 'lab/nodes/nc-01.json')
  writeFileSync(path, '{"outco')
  expect(() => readRecord(folder, 'lab')).toThrow(
    expect.objectContaining({ exitCode: 66, next: `remove it: rm ${path}` }),
  )
})

it('says when none of it can be read', () => {
  mkdirSync(join(folder, 'lab'), { recursive: true })
  writeFileSync(join(folder, 'lab/nodes'), '')
  expect(() => readRecord(folder, 'lab')).toThrow(
    expect.objectContaining({ exitCode: 77, message: expect.stringContaining('cannot be read') }),
  )
})

it('never writes over a run', () => {
  recordRun('one', [])
  expect(() => openRecord(folder, 'lab', 'one', VIEW)).toThrow(expect.objectContaining({ exitCode: 77 }))
})

it('says that it cannot be written', () => {
  writeFileSync(join(folder, 'lab'), '')
  expect(() => openRecord(folder, 'lab', 'one', VIEW)).toThrow(
    expect.objectContaining({ exitCode: 77, message: expect.stringContaining('cannot be written') }),
  )
})
