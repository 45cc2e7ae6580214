/** Whatever the rules of a chain: which of them may change places, and that it makes no difference to any packet. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IPTABLES } from '../../src/artifacts/alike.ts'
import { commute } from './commute.ts'
import { normal } from './normal-form.ts'
import { anyRuleSet, effectOf, type RuleSet, textOf } from './packet-filter.ts'

const RUNS = { numRuns: 300 }

describe('rules of iptables', () => {
  const anySwap = fc
    .tuple(anyRuleSet, fc.nat())
    .map(([rules, at]) => ({ rules, at: at % (rules.chain.length - 1) }))
    .map(({ rules, at }) => ({ rules, at, swapped: { ...rules, chain: swap(rules.chain, at) } }))

  test('two neighbours may change places exactly when they commute', () => {
    const met = new Set<boolean>()
    fc.assert(
      fc.property(anySwap, ({ rules, at, swapped }) => {
        const expected = commute(rules, at)
        met.add(expected)
        expect(normal(IPTABLES, textOf(rules)) === normal(IPTABLES, textOf(swapped))).toBe(expected)
      }),
      RUNS,
    )
    expect(met.size).toBe(2)
  }, 120_000)

  test('what has one normal form does the same to every packet', () => {
    const found = { same: 0, different: 0 }
    const anyOrder = anyRuleSet.chain((rules) => {
      return fc
        .shuffledSubarray([...rules.chain], { minLength: rules.chain.length })
        .map((chain): readonly [RuleSet, RuleSet] => [rules, { ...rules, chain }])
    })
    fc.assert(
      fc.property(anyOrder, ([rules, other]) => {
        fc.pre(textOf(rules) !== textOf(other))
        const same = normal(IPTABLES, textOf(rules)) === normal(IPTABLES, textOf(other))
        found[same ? 'same' : 'different']++
        if (same) expect(effectOf(other)).toEqual(effectOf(rules))
      }),
      RUNS,
    )
    expect(Math.min(found.same, found.different)).toBeGreaterThan(10)
  }, 120_000)
})

function swap<T>(items: readonly T[], at: number): readonly T[] {
  return [...items.slice(0, at), ...items.slice(at, at + 2).toReversed(), ...items.slice(at + 2)]
}
