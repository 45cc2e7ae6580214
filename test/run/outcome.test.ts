import { describe, expect, it } from 'vitest'
import { exitCode, type Outcome } from '../../src/run/outcome.ts'

/** From the worst to the best; 3 comes before 77, because a refused login is the lesser news. */
const ORDER: readonly (readonly [number, Partial<Outcome>])[] = [
  [7, { status: 'unknown' }],
  [4, { status: 'not-attempted' }],
  [5, { status: 'rolled-back' }],
  [3, { status: 'refused' }],
  [77, { status: 'refused', distrust: true }],
  [6, { status: 'unreachable' }],
  [0, { status: 'converged' }],
  [0, { status: 'unchanged' }],
]

const TABLE = ORDER.map(([code, outcome]) => {
  return { code, outcome: { node: 'nc-01', status: 'unchanged', notes: [], milliseconds: 0, ...outcome } as const }
})

describe('the worst outcome is the exit code', () => {
  it.each(TABLE)('$code for $outcome.status alone', ({ code, outcome }) => {
    expect(exitCode([outcome])).toBe(code)
  })

  it.each(TABLE)('$code for $outcome.status among all that is not worse', ({ code, outcome }) => {
    const better = TABLE.slice(TABLE.findIndex((row) => row.outcome === outcome)).map((row) => row.outcome)
    expect(exitCode(better)).toBe(code)
    expect(exitCode(better.toReversed())).toBe(code)
  })

  it('0 when there is nobody to serve', () => {
    expect(exitCode([])).toBe(0)
  })
})
