/** Who is asked in a round of a watch, and when again. */

import { describe, expect, it } from 'vitest'
import { delay, dueNodes, type Known, learn, nextDue } from '../../src/run/due.ts'
import type { Outcome, Status } from '../../src/run/outcome.ts'

const outcome = (status: Status, digest?: string): Outcome => ({
  node: 'a',
  status,
  ...(digest !== undefined && { digest }),
  notes: [],
  milliseconds: 0,
})

/** What is known at 0 after so many of the same in a row. */
function knownAfter(status: Status, digest?: string, times = 1): Known {
  let known: Known | undefined
  for (let time = 0; time < times; time++) known = learn(known, outcome(status, digest), 0, 1)
  return known as Known
}

const isDue = (known: Known | undefined, digest: string | undefined, now = 1, isFull = false) =>
  dueNodes([{ name: 'a', digest }], new Map(known ? [['a', known]] : []), { now, isFull }).length === 1

describe('a node is asked', () => {
  it('when nothing is known of it', () => expect(isDue(undefined, undefined)).toBe(true))
  it('in every full round', () => expect(isDue(knownAfter('unreachable', undefined, 9), 'x', 1, true)).toBe(true))
  it.each<[Status, string | undefined, string | undefined, boolean]>([
    ['unchanged', 'x', 'x', false],
    ['unchanged', 'x', 'y', true],
    ['converged', 'x', undefined, true],
    ['rolled-back', 'x', 'x', false],
    ['rolled-back', 'x', 'y', true],
    ['refused', undefined, undefined, false],
    ['refused', undefined, 'x', true],
    ['not-attempted', 'x', 'x', false],
    ['unreachable', undefined, 'x', false],
    ['unreachable', 'x', 'y', false],
  ])('after %s of %s, to hold %s: %s', (status, held, wanted, due) => {
    expect(isDue(knownAfter(status, held), wanted)).toBe(due)
  })
  it.each<Status>(['rolled-back', 'refused', 'not-attempted', 'unreachable', 'unknown', 'reverting'])(
    'after %s when its time has come, and not before',
    (status) => {
      const known = knownAfter(status, 'x')
      expect(isDue(known, 'x', known.again - 1)).toBe(false)
      expect(isDue(known, 'x', known.again)).toBe(true)
    },
  )
})

it('waits longer each time, up to a limit, and never for nothing', () => {
  const waits = [1, 2, 3, 7, 8, 50].map((failures) => delay(failures, 1))
  expect(waits).toEqual([5_000, 10_000, 20_000, 300_000, 300_000, 300_000])
  expect(delay(1, 0)).toBe(2_500)
})

it('begins anew after a good end', () => {
  const good = learn(knownAfter('unreachable', undefined, 5), outcome('converged', 'x'), 0, 1)
  expect(good.again).toBe(Number.POSITIVE_INFINITY)
  expect(learn(good, outcome('refused'), 0, 1).again).toBe(5_000)
})

it('wakes for the first of those who failed, and for nobody else', () => {
  const known = new Map([
    ['a', knownAfter('unreachable', undefined, 2)],
    ['b', knownAfter('refused')],
    ['c', knownAfter('unchanged', 'x')],
  ])
  expect(nextDue(known)).toBe(5_000)
  expect(nextDue(new Map([['c', knownAfter('unchanged', 'x')]]))).toBe(Number.POSITIVE_INFINITY)
})
