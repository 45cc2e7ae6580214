/** What a report folds, `--limit` has to unfold: held against the grammar itself. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Inventory } from '../../src/config/inventory.ts'
import { matchWords } from '../../src/config/words.ts'
import { foldNames } from '../../src/report/fold-names.ts'
import { HERE } from '../config/sources.ts'

function numbered(before: string, from: number, to: number, width = 1): readonly string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => before + String(from + index).padStart(width, '0'))
}

test.each<[string, readonly string[]]>([
  ['', []],
  ['gw', ['gw']],
  ['nc-01', ['nc-01']],
  ['nc[001-118,120-200]', [...numbered('nc', 1, 118, 3), ...numbered('nc', 120, 200, 3)]],
  ['nc[1-12]', numbered('nc', 1, 12)],
  ['nc[8-9,08-11]', ['nc8', 'nc9', ...numbered('nc', 8, 11, 2)]],
  ['nc-[1,3]', ['nc-1', 'nc-3', 'nc-3']],
  ['r[1-3]-nc-1', ['r1-nc-1', 'r2-nc-1', 'r3-nc-1']],
  ['r1-nc-[1-2],r2-nc-[1-2]', ['r1-nc-1', 'r1-nc-2', 'r2-nc-1', 'r2-nc-2']],
  ['gw,nc-[1-2]', ['gw', 'nc-1', 'nc-2']],
  ['nc[1-2].lab', ['nc1.lab', 'nc2.lab']],
  ['nc1234567890123456,nc1234567890123457', ['nc1234567890123456', 'nc1234567890123457']],
])('%s', (words, names) => {
  expect(foldNames(names).join(',')).toBe(words)
})

/** Few letters, so that names have much in common. */
const name = fc.oneof(
  fc.stringMatching(/^[a0-3][a0-3.-]{0,4}$/),
  fc.stringMatching(/^nc-?[0-9]{1,4}$/),
  fc.stringMatching(/^r[12]nc[0-9]{1,2}(\.lab)?$/),
)

function inventoryOf(names: readonly string[]): Inventory {
  const nodes = names.map((one) => ({ name: one })) as unknown as Inventory['nodes']
  return { cloud: 'lab', file: 'lab.yml', nodes, groups: [] }
}

test('--limit selects the nodes that were folded, and no other', () => {
  const some = fc.uniqueArray(fc.tuple(name, fc.boolean()), { selector: ([text]) => text, minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(some, (all) => {
      const names = all.map(([text]) => text)
      const chosen = all.flatMap(([text, isChosen]) => (isChosen ? [text] : []))
      fc.pre(chosen.length > 0)
      const words = foldNames(chosen).join(',')
      const { names: found, unmatched } = matchWords(inventoryOf(names), [words], HERE)
      expect(unmatched).toEqual([])
      expect([...found].toSorted()).toEqual(chosen.toSorted())
    }),
    { numRuns: 2_000 },
  )
})

test('a name with many others folds into one word, however many there are', () => {
  expect(foldNames(numbered('nc-', 1, 5_000, 4))).toEqual(['nc-[0001-5000]'])
  expect(foldNames(numbered('nc-', 1, 5_000, 4).filter((_, index) => index !== 118))).toEqual([
    'nc-[0001-0118,0120-5000]',
  ])
})
