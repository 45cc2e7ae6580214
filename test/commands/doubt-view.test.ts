import { expect, test } from 'vitest'
import { doubtAge, doubtMissing, doubtUnknown, doubtVersion } from '../../src/commands/doubt-view.ts'
import type { InventoryNode } from '../../src/config/inventory.ts'
import type { NodeRecord } from '../../src/record/record.ts'
import type { View } from '../../src/view/view.ts'

const WRITTEN = new Date('2026-01-02T03:00:00Z')
const SOURCED = { text: '', origin: 'view.xml', modified: WRITTEN }

test.each<[number | undefined, string, readonly string[]]>([
  [600_000, '2026-01-02T03:10:00Z', []],
  [600_000, '2026-01-02T03:10:01Z', ['view.xml was last written 601 s ago, which is more than max_age: 600 s']],
  [600_000, '2026-01-02T02:00:00Z', []],
  [undefined, '2027-01-02T03:00:00Z', []],
])('with max_age %s at %s', (maxAge, now, doubts) => {
  const expected = doubts.map((saw) => ({ guard: 'age', saw }))
  expect(doubtAge(SOURCED, maxAge, new Date(now))).toEqual(expected)
  expect(doubtAge({ ...SOURCED, modified: undefined }, maxAge, new Date(now))).toEqual([])
})

function served(version: string | undefined, digest: string): NodeRecord {
  const outcome = { node: 'n', status: 'converged', notes: [], milliseconds: 0 } as const
  return { outcome, run: 'run-1', time: '', view: { origin: '', version, digest } }
}

test.each<[string, string | undefined, readonly NodeRecord[], readonly string[]]>([
  ['nothing was served', 'v', [], []],
  ['the same was served', 'v', [served('v', 'a')], []],
  ['another version was served', 'v', [served('u', 'b')], []],
  [
    'the version is that of other content',
    'v',
    [served('v', 'b')],
    ['version v was served before with other content (run run-1)'],
  ],
  ['some nodes have the older content', 'v', [served('v', 'b'), served('v', 'a')], []],
  ['there are no versions', undefined, [served(undefined, 'b')], []],
])('%s', (_, version, records, doubts) => {
  const byNode = new Map(records.map((record, index) => [String(index), record]))
  expect(doubtVersion({ origin: '', version, digest: 'a' }, byNode).map(({ saw }) => saw)).toEqual(doubts)
})

test('of many nodes ten are named, and how many more there are', () => {
  const names = Array.from({ length: 25 }, (_, index) => `10.0.0.${index}`)
  const nodes = names.map((name) => ({ name, instances: ['i-1', 'i-2'] }))
  const view = { clusters: [{ nodes }] } as unknown as View
  const ten = names.slice(0, 10).join(', ')
  expect(doubtMissing(view, []).map(({ saw }) => saw)).toEqual([
    `the inventory has no nodes with these addresses, which run 50 instances: ${ten} and 15 more`,
  ])
  const listed = names.map((name) => ({ name, address: name, where: 'lab.yml:1:1' })) as unknown as InventoryNode[]
  expect(doubtMissing(view, listed)).toEqual([])
  expect(doubtUnknown(view, listed)).toEqual([])
  const lost = doubtUnknown({ ...view, clusters: [] }, listed).map(({ saw }) => saw)
  expect(lost).toHaveLength(11)
  expect(lost.at(-1)).toBe('and 15 more nodes of the inventory that are no nodes of the view')
})
