import { expect, test } from 'vitest'
import { type Doubt, doubting, type Limits, type Prospect, refuseDoubts } from '../../src/run/guard.ts'
import { refusalOf } from '../config/files.ts'

function prospects(count: number, prospect: Partial<Prospect>): readonly Prospect[] {
  return Array.from({ length: count }, (_, index) => {
    return { node: `nc-${index}`, before: 100, after: 100, isAnother: true, ...prospect }
  })
}

const held = (count: number) => prospects(count, { isAnother: false })
function doubtProspects(some: readonly Prospect[], nodes: number, limits: Limits, forced: readonly string[]) {
  const { expect: hear, doubts } = doubting(nodes, limits, forced)
  for (const prospect of some) hear(prospect)
  return doubts()
}

const saws = (doubts: readonly Doubt[]) => doubts.map(({ saw }) => saw)

test.each<[string, readonly Prospect[], number | undefined, readonly string[]]>([
  ['nobody says how many', prospects(10, {}), undefined, []],
  ['none', held(10), 0, []],
  ['as many as may', [...prospects(5, {}), ...held(5)], 50, []],
  ['one more', [...prospects(6, {}), ...held(4)], 50, ['6 of 10 nodes would change, which is more than 50%']],
  ['half a node more', [...prospects(2, {}), ...held(1)], 50, ['2 of 3 nodes would change, which is more than 50%']],
  ['two where none may', [...prospects(2, {}), ...held(98)], 0, ['2 of 100 nodes would change, which is more than 0%']],
  ['one of one', prospects(1, {}), 0, []],
  ['those that never had any', [...prospects(9, { before: undefined }), ...held(1)], 10, []],
  ['those that are repaired', prospects(10, { isAnother: false }), 10, []],
  ['all, and all may', prospects(10, {}), 100, []],
])('changed: %s', (_, some, most, expected) => {
  expect(saws(doubtProspects(some, some.length, { changed: most, shrink: undefined }, []))).toEqual(expected)
})

test.each<[string, Partial<Prospect>, number | undefined, readonly string[]]>([
  ['nobody says how much', { after: 0 }, undefined, []],
  ['as much as may', { after: 70 }, 30, []],
  ['one entry more', { after: 69 }, 30, ['bundles would shrink by more than 30%: nc-0 from 100 to 69 entries']],
  ['to nothing', { after: 0 }, 99, ['bundles would shrink by more than 99%: nc-0 from 100 to 0 entries']],
  ['what grows', { after: 200 }, 0, []],
  ['what never was', { before: undefined, after: 0 }, 0, []],
  ['what was empty', { before: 0, after: 0 }, 0, []],
])('shrink: %s', (_, prospect, most, expected) => {
  expect(saws(doubtProspects(prospects(1, prospect), 1, { changed: undefined, shrink: most }, []))).toEqual(expected)
})

test('shrink: of many nodes ten are named, and how many more there are', () => {
  const [saw = ''] = saws(doubtProspects(prospects(25, { after: 1 }), 25, { changed: undefined, shrink: 30 }, []))
  expect(saw).toMatch(/: nc-0 from 100 to 1, .*, nc-9 from 100 to 1 and 15 more entries$/)
})

test('a doubt stands until its own name is forced, and says so', () => {
  const age: Doubt = { guard: 'age', saw: 'it is old' }
  const nodes: Doubt = { guard: 'nodes', saw: 'one is missing', instead: 'write it down' }
  const warning: Doubt = { guard: undefined, saw: 'it is strange' }
  const doubts = [age, warning, nodes, nodes]
  expect(refusalOf('', () => refuseDoubts(doubts, ['path']))).toMatchObject({
    exitCode: 8,
    message: 'no node is touched\nguard age: it is old\nguard nodes: one is missing\nguard nodes: one is missing',
    next: 'if it is meant so: --force age --force nodes; or write it down',
  })
  expect(refusalOf('', () => refuseDoubts(doubts, ['nodes']))).toMatchObject({ next: 'if it is meant so: --force age' })
  expect(() => refuseDoubts(doubts, ['nodes', 'age'])).not.toThrow()
  expect(() => refuseDoubts([warning], [])).not.toThrow()
})

test('what is forced is not doubted', () => {
  const limits = { changed: 10, shrink: 10 }
  const all = prospects(5, { after: 1 })
  expect(doubtProspects(all, 5, limits, []).map(({ guard }) => guard)).toEqual(['changed', 'shrink'])
  expect(doubtProspects(all, 5, limits, ['shrink', 'age']).map(({ guard }) => guard)).toEqual(['changed'])
})
