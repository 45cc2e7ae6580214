import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batchesOf, type Size } from '../../src/run/batches.ts'
import { spent } from '../../src/run/budget.ts'
import { isFailure, type Outcome, type Status } from '../../src/run/outcome.ts'

const size = fc.oneof(
  fc.record({ nodes: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ percent: fc.integer({ min: 1, max: 100 }) }),
)

describe('batches', () => {
  it.each<[string, number, readonly Size[], readonly number[]]>([
    ['none said', 7, [], [7]],
    ['the last again', 10, [{ nodes: 1 }, { nodes: 4 }], [1, 4, 4, 1]],
    [
      'shares of the whole stage',
      200,
      [{ nodes: 1 }, { nodes: 5 }, { percent: 20 }, { percent: 100 }],
      [1, 5, 40, 154],
    ],
    ['never empty', 3, [{ percent: 1 }], [1, 1, 1]],
    ['of nobody', 0, [{ nodes: 1 }], []],
  ])('%s', (_, count, sizes, expected) => {
    const items = Array.from({ length: count }, (_, index) => index)
    expect(batchesOf(items, sizes).map((batch) => batch.length)).toEqual(expected)
  })

  it('take every node once, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.array(size, { maxLength: 4 }), (items, sizes) => {
        const batches = batchesOf(items, sizes)
        expect(batches.flat()).toEqual(items)
        expect(batches.every((batch) => batch.length > 0)).toBe(true)
      }),
    )
  })
})

describe('a budget', () => {
  const outcomes = (...statuses: readonly Status[]) =>
    statuses.map((status, index): Outcome => ({ node: `nc-${index}`, status, notes: [], milliseconds: 0 }))

  it.each<[string, number | string, number, boolean]>([
    ['the first failure uses up one of nothing', 0, 1, true],
    ['and one of one node', 1, 1, true],
    ['it is used up when it is reached', 3, 3, true],
    ['and not before', 3, 2, false],
    ['a share is one of the whole run', '10%', 20, true],
    ['and not of a part of it', '10%', 19, false],
    ['a share that is no whole number of nodes is reached by the next one', '1%', 2, true],
    ['a share of all is reached when all failed', '100%', 199, false],
    ['no failure uses up no budget', 0, 0, false],
  ])('%s', (_, said, failed, expected) => {
    const budget = typeof said === 'number' ? { nodes: said } : { percent: Number.parseInt(said, 10) }
    expect(spent(budget, failed, 200) !== undefined).toBe(expected)
  })

  it('counts whatever failed, also who did not answer, and nobody who was not attempted', () => {
    const failures: readonly Status[] = ['refused', 'rolled-back', 'reverting', 'unknown', 'unreachable']
    const others: readonly Status[] = ['unchanged', 'converged', 'awaiting', 'released', 'not-attempted']
    const failed = outcomes(...failures, ...others).filter(isFailure).length
    expect(spent({ nodes: 5 }, failed, 10)).toEqual({ failed: 5, limit: 5 })
  })
})
