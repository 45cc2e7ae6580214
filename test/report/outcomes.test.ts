/** The summary of a run, as a person reads it. */

import { expect, test } from 'vitest'
import { outcomesReport } from '../../src/report/outcomes.ts'
import type { Terminal } from '../../src/report/terminal.ts'
import type { Outcome } from '../../src/run/outcome.ts'

const plain = (text: string) => text
const PAINT: Terminal['paint'] = { good: plain, bad: plain, faint: plain, strong: plain }

function report(outcomes: readonly Outcome[], quiet = false): string {
  return outcomesReport(outcomes, { paint: PAINT, quiet })
}

function nameOf(number: number): string {
  return `nc-${String(number).padStart(4, '0')}`
}

/** Of `nc-FROM` to `nc-TO`. */
function many(from: number, to: number, outcome: Partial<Outcome> | ((number: number) => Partial<Outcome>)) {
  return Array.from({ length: to - from + 1 }, (_, index): Outcome => {
    const more = typeof outcome === 'function' ? outcome(from + index) : outcome
    return { node: nameOf(from + index), status: 'converged', notes: [], milliseconds: 1_000, ...more }
  })
}

const RULES = { artifact: 'iptables', added: 3, removed: 1, things: 2 }
const SETS = { artifact: 'ipset', added: 7, removed: 0, things: 2 }

test('of a few nodes each has its line', () => {
  const outcomes = [
    ...many(1, 1, { digest: 'd'.repeat(64), reason: 'changed', changes: [RULES, SETS], notes: ['the set x stays'] }),
    ...many(2, 2, {
      digest: 'e'.repeat(64),
      reason: 'first push',
      changes: [
        { ...RULES, removed: 0 },
        { ...RULES, artifact: 'ebtables', removed: 0 },
        { ...SETS, artifact: 'placeholder' },
      ],
    }),
    ...many(3, 3, { status: 'unreachable', phase: 'connect', reason: 'cannot reach nc-0003 (10.0.0.3:22): timed out' }),
    ...many(4, 4, { status: 'not-attempted', milliseconds: 0 }),
  ]
  expect(report(outcomes)).toBe(`nc-0001  converged      dddddddddddd  1.0 s  +3 -1 rules, 2 sets
nc-0002  converged      eeeeeeeeeeee  1.0 s  first push, +6 rules
nc-0003  unreachable    -             1.0 s  at connect
nc-0004  not-attempted  -
nc-0001: the set x stays
nc-0003: cannot reach nc-0003 (10.0.0.3:22): timed out
4 nodes: 1 unreachable, 1 not-attempted, 2 converged
`)
  expect(report(outcomes.slice(0, 3), true)).toBe(`nc-0003  unreachable  -  1.0 s  at connect
nc-0003: cannot reach nc-0003 (10.0.0.3:22): timed out
`)
})

test('a thousand are folded, the odd ones first, and every node that failed is named', () => {
  const next = 'edgepush status --live'
  const outcomes = [
    ...many(1, 118, { reason: 'changed', changes: [RULES, SETS] }),
    ...many(119, 119, { status: 'unknown', phase: 'confirm', reason: 'no answer', next }),
    ...many(120, 200, { reason: 'changed', changes: [RULES, SETS], milliseconds: 2_300 }),
    ...many(201, 900, { status: 'unchanged' }),
    ...many(901, 903, { reason: 'changed', changes: [SETS], notes: ['the interface br0 is down'] }),
    ...many(904, 999, (number) => ({
      status: 'unreachable',
      phase: 'connect',
      reason: `cannot reach ${nameOf(number)} (10.0.3.${number - 900}:22): timed out`,
    })),
    ...many(1000, 1000, { reason: 'repaired: iptables', changes: [{ ...RULES, removed: 0, added: 1 }] }),
  ]
  expect(report(outcomes)).toBe(`nc-0119 unknown at confirm: no answer (1.0 s)
  edgepush status --live
nc-[0904-0999] unreachable at connect: cannot reach it: timed out (1.0 s)
nc-1000 converged: repaired: iptables, +1 rule (1.0 s)
nc-[0901-0903] converged: 2 sets (1.0 s)
  the interface br0 is down
nc-[0001-0118,0120-0200] converged: +3 -1 rules, 2 sets (1.0-2.3 s)
nc-[0201-0900] unchanged (1.0 s)
1000 nodes: 1 unknown, 96 unreachable, 203 converged, 700 unchanged
`)
})

test('what a first push makes on each of a thousand nodes is a span', () => {
  const outcomes = many(1, 1000, (number) => ({
    reason: 'first push',
    changes: [
      { ...RULES, added: 100 + (number % 40), removed: 0 },
      { ...SETS, things: 2 + (number % 3) },
      { artifact: 'addresses', added: number % 2, removed: 0, things: 1 },
      { artifact: 'dhcpd', added: 9, removed: 0, things: 9 },
    ],
  }))
  expect(
    report(outcomes),
  ).toBe(`nc-[0001-1000] converged: first push, +100..139 rules, 2..4 sets, +0..1 address, dhcpd (1.0 s)
1000 nodes: 1000 converged
`)
})

test('as many reasons as nodes are as many lines, and names without numbers are cut only where all is well', () => {
  const letters = 'abcdefghijklmnopqrstuvwxyz'.split('')
  const named = letters.map((node): Outcome => ({ node, status: 'unchanged', notes: [], milliseconds: 0 }))
  expect(report(named)).toBe(`${letters.slice(0, 20).join(',')} and 6 more unchanged (0.0 s)\n26 nodes: 26 unchanged\n`)
  const down = named.map((outcome): Outcome => ({ ...outcome, status: 'unreachable', reason: 'it is off' }))
  expect(report(down)).toContain(`${letters.join(',')} unreachable: it is off (0.0 s)\n`)

  const odd = many(1, 30, (number) => ({ status: 'refused', phase: 'stage', reason: `reason ${number}` }))
  const lines = report(odd).trimEnd().split('\n')
  expect(lines).toHaveLength(31)
  expect(lines[29]).toBe('nc-0030 refused at stage: reason 30 (1.0 s)')
})

test('a note or an advice that only some have keeps them apart', () => {
  const outcomes = [
    ...many(1, 10, {}),
    ...many(11, 11, { next: 'look' }),
    ...many(12, 12, { notes: ['nc-0012 is hot'] }),
  ]
  expect(report(outcomes)).toBe(`nc-0011 converged (1.0 s)
  look
nc-0012 converged (1.0 s)
  nc-0012 is hot
nc-[0001-0010] converged (1.0 s)
12 nodes: 12 converged
`)
})
