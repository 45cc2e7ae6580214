/** What was given out is whole whenever somebody is killed, and two who go by the same state do not both get theirs. */

import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Given, keepAllocation, listAllocations, readAllocation } from '../../src/record/allocation.ts'

const BUILT = join(import.meta.dirname, '../../dist/record/allocation.js')

/** Each state has a thousand groups of one tag, the number of the state. */
const WRITER = `
import { keepAllocation, readAllocation } from '${BUILT}'
for (;;) {
  const before = readAllocation(process.argv[1], 'lab')
  const tag = before.number + 1
  const groups = Array.from({ length: 1000 }, (_, index) => ['sg-' + index, { tag, since: 'now' }])
  try {
    keepAllocation(process.argv[1], 'lab', before, { tags: Object.fromEntries(groups), addresses: {} })
  } catch (error) {
    if (error.exitCode !== 10) throw error
  }
}`

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-allocation-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function given(tag: number): Given {
  return { tags: { 'sg-1': { tag, since: '2026-01-01T00:00:00.000Z' } }, addresses: {} }
}

it('is nothing before it is something, and then what was kept last', () => {
  expect(readAllocation(folder, 'lab')).toEqual({ number: 0, given: { tags: {}, addresses: {} } })
  expect(listAllocations(folder)).toEqual([])
  keepAllocation(folder, 'lab', readAllocation(folder, 'lab'), given(2))
  keepAllocation(folder, 'lab', readAllocation(folder, 'lab'), given(3))
  expect(readAllocation(folder, 'lab')).toEqual({ number: 2, given: given(3) })
  expect(listAllocations(folder)).toEqual([{ cloud: 'lab', given: given(3) }])
  expect(readdirSync(join(folder, 'lab/allocation')).toSorted()).toEqual(['1.json', '2.json'])
})

it('is not kept by who went by what is not the last any more', () => {
  const before = readAllocation(folder, 'lab')
  keepAllocation(folder, 'lab', before, given(2))
  expect(() => keepAllocation(folder, 'lab', before, given(3))).toThrow(
    expect.objectContaining({ exitCode: 10, message: expect.stringContaining('another run has given out tags') }),
  )
  expect(readAllocation(folder, 'lab').given).toEqual(given(2))
})

it('says so where it cannot be kept', () => {
  const before = readAllocation(folder, 'lab')
  writeFileSync(join(folder, 'file'), '')
  expect(() => keepAllocation(join(folder, 'file'), 'lab', before, given(2))).toThrow(
    expect.objectContaining({ exitCode: 77, next: 'set EDGEPUSH_STATE to a folder of yours' }),
  )
})

it.each([1, 5, 20, 40])('is whole after %i states of writers that are then killed', async (states) => {
  const children = [1, 2].map(() => spawn('node', ['--input-type=module', '-e', WRITER, folder], { stdio: 'ignore' }))
  const ended = children.map((child) => new Promise((resolve) => child.on('close', (_, signal) => resolve(signal))))
  await vi.waitUntil(
    () => {
      const { number, given: now } = readAllocation(folder, 'lab')
      const tags = new Set(Object.values(now.tags).map(({ tag }) => tag))
      expect(number === 0 || (tags.size === 1 && tags.has(number))).toBe(true)
      return number > states
    },
    { timeout: 30_000, interval: 1 },
  )
  for (const child of children) child.kill('SIGKILL')
  expect(await Promise.all(ended)).toEqual(['SIGKILL', 'SIGKILL'])

  const last = readAllocation(folder, 'lab')
  expect(Object.values(last.given.tags)).toHaveLength(1000)
  keepAllocation(folder, 'lab', last, given(2))
  expect(readAllocation(folder, 'lab')).toEqual({ number: last.number + 1, given: given(2) })
})
