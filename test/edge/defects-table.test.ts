/** docs/defects.md names every defect once, in order, and only tests that are there; no test of a defect is forgotten. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { titlesIn } from './titles-in.ts'

const ROOT = join(import.meta.dirname, '../..')
const ROWS = readFileSync(join(ROOT, 'docs/defects.md'), 'utf8').split('\n').flatMap(toRow)

interface Row {
  readonly defect: string
  readonly theirs: string
  readonly ours: string
  readonly shownBy: readonly Shown[]
}

interface Shown {
  readonly file: string
  readonly title: string
}

it('has a row for each of the thirty, and each says what happens there and here', () => {
  expect(ROWS.map(({ defect }) => defect)).toEqual(Array.from({ length: 30 }, (_, index) => `F${index + 1}`))
  for (const { defect, theirs, ours } of ROWS) expect([theirs, ours], defect).not.toContain('')
})

it.each(ROWS)('$defect is shown by tests that are there', ({ shownBy }) => {
  expect(shownBy.length).toBeGreaterThan(0)
  for (const { file, title } of shownBy) expect(titlesIn(file), file).toContain(title)
})

it.each(defectTests())('names "$title"', ({ file, title }) => {
  const [, defects = ''] = /^((?:F\d+(?:, )?)+): /.exec(title) ?? []
  for (const defect of defects.split(', ')) {
    expect(ROWS.find((row) => row.defect === defect)?.shownBy).toContainEqual({ file, title })
  }
})

it('would notice a test of another name, and one that is only spoken of', () => {
  const here = 'test/edge/defects-table.test.ts'
  expect(titlesIn(here)).toContain('$defect is shown by tests that are there')
  expect(titlesIn(here)).not.toContain('$defect is shown by tests')
  expect(titlesIn(here)).not.toContain('test/edge/defects-table.test.ts')
})

function toRow(line: string): readonly Row[] {
  const [, defect = '', theirs = '', ours = '', tests = ''] = /^\| (F\d+) \|(.*)\|(.*)\|(.*)\|$/.exec(line) ?? []
  if (defect === '') return []
  const shownBy = [...tests.matchAll(/`(test\/[^`]+)`: "([^"]+)"/g)].map(([, file = '', title = '']) => ({
    file,
    title,
  }))
  return [{ defect, theirs: theirs.trim(), ours: ours.trim(), shownBy }]
}

/** Tests that say which defects they are about. */
function defectTests(): readonly Shown[] {
  const files = ['test/lab', 'test/edge'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => `${folder}/${name}`),
  )
  return files.flatMap((file) =>
    titlesIn(file)
      .filter((title) => /^F\d/.test(title))
      .map((title) => ({ file, title })),
  )
}
