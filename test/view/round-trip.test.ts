/** What is written in any style and any order reads back as the same view; what is cut or damaged never as another. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseView, readView } from '../../src/view/parse.ts'
import { anyView } from './any-view.ts'
import { hasText, type Writing, writeView } from './write-view.ts'

const AS_IT_IS: Writing = { style: '5', blank: '', order: (values) => values }

const writing: fc.Arbitrary<Writing> = fc.record({
  style: fc.constantFrom('4', '5'),
  blank: fc.constantFrom('', ' ', '\n\t', '<!-- -->', '\r\n<!-- a -->\n'),
  order: fc.infiniteStream(fc.nat()).map((keys) => (values) => shuffle(values, keys)),
})

function shuffle<T>(values: readonly T[], keys: fc.Stream<number>): readonly T[] {
  const keyed = values.map((value) => ({ value, key: Number(keys.next().value) }))
  return keyed.toSorted((a, b) => a.key - b.key).map(({ value }) => value)
}

test('a view reads back from either style, in any order', () => {
  fc.assert(
    fc.property(anyView, writing, (view, how) => {
      expect(readView(writeView(view, how), 'v').view).toEqual(view)
    }),
    { numRuns: 500 },
  )
})

test('rules as text and structured rules are one view, also as the oldest clouds write it', () => {
  const rules = fc.constantFrom('names' as const, 'numbers' as const)
  fc.assert(
    fc.property(anyView, writing, rules, fc.boolean(), (any, how, words, isOldest) => {
      const view = { ...any, groups: any.groups.map((group) => ({ ...group, ingress: group.ingress.filter(hasText) })) }
      const mode = { name: 'ANY', saidBy: 'the test' }
      const text = writeView(view, { ...how, rules: words, isOldest })
      const read = readView(text, 'v', { lenient: false, mode }).view
      expect(read).toEqual({ ...view, version: isOldest ? undefined : view.version })
      expect(readView(writeView(view, how), 'v').view).toEqual({ ...read, version: view.version })
    }),
    { numRuns: 500 },
  )
})

test('order and style leave no trace, not even in how the view prints', () => {
  fc.assert(
    fc.property(anyView, writing, writing, (view, one, other) => {
      const texts = [one, other].map((how) => JSON.stringify(readView(writeView(view, how), 'v').view))
      expect(texts[0]).toBe(texts[1])
    }),
  )
})

test('a document that is cut short is never a view', () => {
  fc.assert(
    fc.property(anyView, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (view, share) => {
      const text = writeView(view, AS_IT_IS)
      const { view: read, findings } = parseView(text.slice(0, Math.floor(text.length * share)), 'v')
      expect(read).toBeUndefined()
      expect(findings).toHaveLength(1)
    }),
    { numRuns: 500 },
  )
})

test('a document with a character changed is a view or has an error, never an exception', () => {
  const characters = fc.constantFrom('', '<', '>', '/', '"', '&', '0', '9', '.', ' ', '\n', '\u0000', 'x')
  fc.assert(
    fc.property(
      anyView,
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      characters,
      (view, share, by) => {
        const text = writeView(view, AS_IT_IS)
        const at = Math.floor(text.length * share)
        const { view: read, findings } = parseView(text.slice(0, at) + by + text.slice(at + 1), 'v')
        expect(read === undefined).toBe(findings.some(({ severity }) => severity === 'error'))
      },
    ),
    { numRuns: 1000 },
  )
})
