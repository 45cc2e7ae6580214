/** docs/faults.md names every fault and every trap once, and only tests and cases that are there. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { titlesIn } from './titles-in.ts'

const ROOT = join(import.meta.dirname, '../..')
const TEXT = readFileSync(join(ROOT, 'docs/faults.md'), 'utf8')
const ROWS = TEXT.split('\n').flatMap(toRow)

interface Row {
  readonly fault: string
  readonly words: readonly string[]
  readonly shownBy: readonly Shown[]
}

interface Shown {
  readonly file: string
  readonly title: string
  /** Of a table of tests: what its rows are called. */
  readonly cases: readonly string[]
}

it('has each of the seventy faults and thirty traps', () => {
  const wanted = [...numbers(70), ...numbers(30).map((number) => `T${number}`)]
  expect(ROWS.map(({ fault }) => fault)).toEqual(wanted)
  for (const { fault, words } of ROWS) expect(words, fault).not.toContain('')
})

it.each(ROWS)('$fault is shown by tests that are there', ({ shownBy }) => {
  expect(shownBy.length).toBeGreaterThan(0)
  for (const { file, title, cases } of shownBy) {
    expect(titlesIn(file), file).toContain(title)
    // A case is a text of the test's file, or of the table beside it.
    for (const one of cases) expect(textsBeside(file), one).toContain(`'${one.replaceAll("'", "\\'")}'`)
  }
})

it.each(faultTests())('names "$title"', ({ file, title }) => {
  const named = ROWS.flatMap(({ shownBy }) =>
    shownBy.filter((shown) => shown.file === file).map((shown) => shown.title),
  )
  expect(named).toContain(title)
})

it('would notice a case of another name', () => {
  const [row] = toRow(
    '| 1 | a | b | c | `test/lab/faults/bundles.test.ts`: "%s" where "has a port that is none", "has none"; |',
  )
  const [shown] = row?.shownBy ?? []
  expect(shown?.cases).toEqual(['has a port that is none', 'has none'])
  expect(textsBeside(shown?.file ?? '')).toContain("'has a port that is none'")
  expect(textsBeside(shown?.file ?? '')).not.toContain("'has none'")
})

function numbers(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(index + 1))
}

function toRow(line: string): readonly Row[] {
  const [, fault = '', ...cells] = /^\| (T?\d+) \|(.*)\|(.*)\|(.*)\|(.*)\|$/.exec(line) ?? []
  if (fault === '') return []
  const shownBy = [...(cells[3] ?? '').matchAll(/`(test\/[^`]+)`: "([^"]+)"((?: where|,)(?: "[^"]+",?)+)?/g)]
  return [
    {
      fault,
      words: cells.slice(0, 3).map((cell) => cell.trim()),
      shownBy: shownBy.map(([, file = '', title = '', cases = '']) => ({
        file,
        title,
        cases: [...cases.matchAll(/"([^"]+)"/g)].map(([, one = '']) => one),
      })),
    },
  ]
}

function textsBeside(file: string): string {
  const folder = join(ROOT, file, '..')
  const tables = readdirSync(folder).filter((name) => name.endsWith('-faults.ts'))
  return [join(ROOT, file), ...tables.map((name) => join(folder, name))]
    .map((path) => readFileSync(path, 'utf8'))
    .join('')
}

/** What is there to show faults; that others are served, or mended after it, is about the test. */
function faultTests(): readonly Pick<Shown, 'file' | 'title'>[] {
  const files = readdirSync(join(ROOT, 'test/lab/faults')).filter((name) => name.endsWith('.test.ts'))
  return files
    .map((name) => `test/lab/faults/${name}`)
    .flatMap((file) => titlesIn(file).map((title) => ({ file, title })))
    .filter(({ title }) => !/^(is the only one that is|succeeds when|the next push makes)/.test(title))
}
