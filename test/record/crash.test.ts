/** A writer of the record that is killed at any moment leaves whole lines and whole files. */

import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { readRecord } from '../../src/record/record.ts'

const RECORD = join(import.meta.dirname, '../../dist/record/record.js')

/** Two nodes whose outcomes are long enough that a torn write would show, over and over. */
const WRITER = `
import { openRecord } from '${RECORD}'
const view = { origin: 'v', version: undefined, digest: 'd' }
const record = openRecord(process.argv[1], 'lab', 'run', view)
for (let count = 0; ; count++) {
  const outcome = { node: 'nc-' + (count % 2), status: 'converged', notes: ['x'.repeat(20_000)], milliseconds: count }
  record.tell({ type: 'outcome', outcome }, new Date(count))
}`

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-crash-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

it.each([1, 7, 30, 31, 64, 100])('killed after about %i outcomes', async (outcomes) => {
  const child = spawn('node', ['--input-type=module', '-e', WRITER, folder], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)))
  const run = join(folder, 'lab/runs/run.ndjson')
  await vi.waitUntil(() => sizeOf(run) > outcomes * 20_000, { timeout: 30_000, interval: 1 })
  child.kill('SIGKILL')
  expect(await ended).toBe('SIGKILL')

  const text = readFileSync(run, 'utf8')
  expect(text.endsWith('\n')).toBe(true)
  const events = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(events.map(({ outcome }) => outcome.milliseconds)).toEqual(events.map((_, count) => count))

  const nodes = readRecord(folder, 'lab')
  expect(readdirSync(join(folder, 'lab/nodes')).filter((name) => !name.endsWith('.new'))).toHaveLength(nodes.size)
  for (const { outcome } of nodes.values()) {
    expect(outcome.notes[0]).toHaveLength(20_000)
    // What is remembered of a node is in the run, and at most the last outcome of the run is not remembered.
    expect(outcome.milliseconds).toBeLessThan(events.length)
    expect(outcome.milliseconds).toBeGreaterThanOrEqual(events.length - 3)
  }
})

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
