import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { narrow, readClock, timeOf } from '../../src/node/clock.ts'
import { hearing } from '../../src/node/start.ts'
import { mixedState } from '../../src/run/mixed-state.ts'
import type { Activated, Outcome } from '../../src/run/outcome.ts'

function outcome(activated?: Activated): Outcome {
  return { node: 'any', status: 'converged', notes: [], milliseconds: 0, ...(activated && { activated }) }
}

describe('the time of what happened on a node', () => {
  const some = fc.integer({ min: 0, max: 100_000 })

  it('is between its bounds, whatever its clock says and however long the ways are', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), some, some, some, some, some, (ahead, ...delays) => {
        const [toNode = 0, probing = 0, waiting = 0, fromNode = 0, going = 0] = delays
        const asked = { ours: 1_000, node: 1_000 + toNode + ahead }
        const saidReady = 1_000 + toNode + probing + waiting
        const heard = { node: saidReady + ahead, ours: saidReady + fromNode }
        const happened = heard.ours + going
        const span = timeOf(happened + ahead, { asked, heard })
        expect(span?.earliest).toBeLessThanOrEqual(happened)
        expect(span?.latest).toBeGreaterThanOrEqual(happened)
        expect((span?.latest ?? 0) - (span?.earliest ?? 0)).toBe(toNode + fromNode)
      }),
    )
  })

  it('is what two bounds of it say together, where they can both be true', () => {
    const bounds = fc.tuple(some, some).map(([a, b]) => ({ earliest: Math.min(a, b), latest: Math.max(a, b) }))
    fc.assert(
      fc.property(bounds, bounds, some, (a, b, time) => {
        const isIn = ({ earliest, latest }: typeof a) => earliest <= time && time <= latest
        const both = narrow(a, b)
        expect(both !== undefined && isIn(both)).toBe(isIn(a) && isIn(b))
      }),
    )
  })

  it('is after the node was told to begin, and before that was heard', async () => {
    const began = performance.now()
    const spans: unknown[] = []
    const hear = hearing({
      clock: { ours: began - 5_000, node: 0 },
      stored: new Set(),
      mayBegin: async () => true,
      onActivated: ({ at }) => spans.push(at),
    })
    // What was read of the node's clock leaves ten seconds open.
    expect(await hear({ word: 'ready', text: '0.001' })).toBe('go\n')
    expect(hear({ word: 'activated', text: '0.002' })).toBeUndefined()
    const [at] = spans as { earliest: number; latest: number }[]
    expect(at?.earliest).toBeGreaterThanOrEqual(began)
    expect(at?.latest).toBeLessThanOrEqual(performance.now())
  })

  it('is not known where the clock was set back in between', () => {
    const readings = { asked: { ours: 0, node: 1_000 }, heard: { ours: 100, node: 5_000 } }
    expect(timeOf(6_000, readings)).toBeUndefined()
  })

  it.each([
    ['1763000000.25', { node: 1_763_000_000_250, ours: 7 }],
    ['1763000000.%N', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %s', (text, expected) => {
    expect(readClock(text, 7)).toEqual(expected)
  })
})

describe('a mixed state', () => {
  it('is none where at most one node was changed', () => {
    expect(mixedState([outcome(), outcome({ heard: 5 })])).toBeUndefined()
  })

  it('lasts from the first activation to the last, with the bounds of the nodes’ own clocks', () => {
    const outcomes = [
      outcome({ heard: 100, at: { earliest: 80, latest: 90 } }),
      outcome(),
      outcome({ heard: 260.4, at: { earliest: 200, latest: 240 } }),
    ]
    expect(mixedState(outcomes)).toEqual({ nodes: 2, heard: 160, byNodes: { atLeast: 110, atMost: 160 } })
  })

  it('may have been none at all where the bounds overlap', () => {
    const both = outcome({ heard: 1, at: { earliest: 0, latest: 10 } })
    expect(mixedState([both, both])).toEqual({ nodes: 2, heard: 0, byNodes: { atLeast: 0, atMost: 10 } })
  })

  it('is told only as heard where a clock cannot be corrected', () => {
    const outcomes = [outcome({ heard: 1 }), outcome({ heard: 3, at: { earliest: 0, latest: 10 } })]
    expect(mixedState(outcomes)).toEqual({ nodes: 2, heard: 2 })
  })
})
