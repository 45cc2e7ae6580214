/** The words of --limit against a model that lists every name a pattern stands for. */

import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Inventory, InventoryNode } from '../../src/config/inventory.ts'
import type { PastRun } from '../../src/config/references.ts'
import { selectNodes } from '../../src/config/select.ts'
import { splitWords } from '../../src/config/split-words.ts'
import { matchWords } from '../../src/config/words.ts'
import { EXIT } from '../../src/error.ts'
import type { Ipv4 } from '../../src/view/ipv4.ts'
import { refusalOf, writeFiles } from './files.ts'
import { HERE, NO_RUNS, recordOf } from './sources.ts'

function inventoryOf(names: readonly string[], groups: Readonly<Record<string, readonly string[]>> = {}): Inventory {
  return {
    cloud: 'lab',
    file: 'lab.yml',
    nodes: names.map(nodeOf),
    groups: Object.entries(groups).map(([name, nodes]) => ({ name, nodes })),
  }
}

function nodeOf(name: string): InventoryNode {
  const target = { name, host: name, port: 22, user: 'root', key: undefined, knownHosts: [], connectTimeout: 1 }
  const address = '10.0.0.1' as Ipv4
  return {
    name,
    address,
    role: 'nc',
    profile: 'compatible',
    persist: false,
    options: {},
    facts: undefined,
    target,
    where: 'lab.yml:1:1',
  }
}

function matched(names: readonly string[], ...words: readonly string[]): readonly string[] {
  return [...matchWords(inventoryOf(names), words, HERE).names]
}

const PADDED = ['nc001', 'nc009', 'nc010', 'nc040', 'nc041', 'nc1', 'nc10', 'nc0010', 'nc']

test.each<[string, string]>([
  ['nc[001-040]', 'nc001 nc009 nc010 nc040'],
  ['nc[001:040]', 'nc001 nc009 nc010 nc040'],
  ['nc[001:041:8]', 'nc001 nc009 nc041'],
  ['nc[001-041:8]', 'nc001 nc009 nc041'],
  ['nc[1-40]', 'nc1 nc10'],
  ['nc[0-9]', 'nc1'],
  ['nc[10-10]', 'nc10'],
  ['nc[010-010]', 'nc010'],
  ['nc0[10-10]', 'nc010'],
  ['nc[0010-9999]', 'nc0010'],
  ['nc[001-009,041]', 'nc001 nc009 nc041'],
  ['nc[1,10,0010]', 'nc1 nc10 nc0010'],
  ['nc[001:041:40,1-9],nc', 'nc001 nc041 nc1 nc'],
  ['nc[10]', 'nc1'],
  ['*[10-10]', 'nc010 nc10 nc0010'],
  ['n[a-d]?[0-0][10-41]', 'nc0010'],
  ['nc[0-0][0-0]?', 'nc001 nc009'],
  ['nc[1-99999999999999999999]', 'nc1 nc10'],
  ['~nc0+1', 'nc001 nc010 nc0010'],
  ['~nc0+1$', 'nc001'],
  ['~.*41', 'nc041'],
  ['~nc(?:0{2,3}|04)1', 'nc001 nc041 nc0010'],
  ['~nc(001|041):!~.*4', 'nc001 nc0010'],
  ['~nc[(:,]?001', 'nc001 nc0010'],
  ['nc[001:040]:!nc[009:010],nc1', 'nc001 nc040 nc1'],
])('%s', (words, expected) => {
  expect(matched(PADDED, words).toSorted()).toEqual(expected.split(' ').toSorted())
})

test.each<[string, string]>([
  ['nc[040-001]', '"nc[040-001]": [040-001] runs backwards'],
  ['nc[01-100]', '"nc[01-100]": the ends of [01-100] have not as many digits'],
  ['nc[1-9:0]', '"nc[1-9:0]": a step of 0 leads nowhere'],
  ['nc[1,9-1]', '"nc[1,9-1]": [9-1] runs backwards'],
  ['nc[z-a]', '"nc[z-a]": [z-a] runs backwards'],
  ['nc[100-200]', '"nc[100-200]" matches no node or group'],
  ['~nc(', '"~nc(": Invalid regular expression: /nc(/: Unterminated group'],
  ['~nc)(', '"~nc)(": Invalid regular expression: /nc)(/: Unmatched \')\''],
  ['~cn', '"~cn" matches no node or group'],
  ['@failed', '"@failed": the record has no run yet'],
  ['@run:one', '"@run:one": the record has no run "one"'],
])('%s is refused by name', (limit, says) => {
  const { exitCode, message } = refusalOf('/nowhere', () =>
    selectNodes(inventoryOf(PADDED), { node: [], limit }, NO_RUNS),
  )
  expect([exitCode, message]).toEqual([EXIT.usage, `--limit: ${says}`])
})

describe('words about the record', () => {
  const inventory = inventoryOf(['a', 'b', 'c', 'failed'])
  const first = { id: '2026-1', command: 'push', nodes: ['a', 'b', 'c', 'gone'], failed: ['b', 'gone'] }
  const second = { id: '2026-2', command: 'flush', nodes: ['a', 'c'], failed: ['c'] }
  const good = { id: '2026-3', command: 'push', nodes: ['a'], failed: [] }
  const left = { id: '2026-4', command: 'push', nodes: ['gone'], failed: ['gone'] }
  const select = (limit: string, ...runs: readonly PastRun[]) => {
    return selectNodes(inventory, { node: [], limit }, recordOf(...runs)).map(({ name }) => name)
  }

  test.each<[string, string]>([
    ['@failed', 'c'],
    ['@run:2026-1', 'a b c'],
    ['@run:2026-1:failed', 'b'],
    ['@run:2026-1:failed:c', 'b c'],
    ['@run:2026-2:failed,failed', 'c failed'],
    ['@run:2026-2:&failed,a', 'nothing'],
    ['@run:2026-1:&@run:2026-2', 'a c'],
    ['@run:2026-1:!@failed', 'a b'],
    ['!@run:2026-1', 'failed'],
    ['a:@failed', 'a c'],
  ])('%s', (limit, expected) => {
    if (expected === 'nothing') expect(() => select(limit, first, second)).toThrow('leaves no node')
    else expect(select(limit, first, second)).toEqual(expected.split(' '))
  })

  test.each<[string, string, readonly PastRun[]]>([
    ['@failed', 'no node failed in run 2026-3 (push)', [first, good]],
    ['@failed', 'no node of run 2026-4 (push) is in the inventory any more', [first, left]],
    ['@run:2026-3:failed', 'no node failed in run 2026-3 (push)', [good, first]],
    ['@run:2026-9', 'the record has no run "2026-9" (did you mean "@run:2026-1"?)', [first]],
    ['@run:../runs/2026-1', 'the record has no run "../runs/2026-1"', [first]],
    ['@run:', 'the record has no run ""', []],
  ])('%s when %s', (limit, why, runs) => {
    const { exitCode, message } = refusalOf('/nowhere', () => select(limit, ...runs))
    expect([exitCode, message]).toEqual([EXIT.usage, `--limit: "${limit}": ${why}`])
  })
})

describe('a file of names', () => {
  const inventory = inventoryOf(['nc-01', 'nc-02', 'nc-03'], { east: ['nc-02', 'nc-03'] })
  const select = (folder: string, limit: string) =>
    [...matchWords(inventory, [limit], { ...HERE, folder }).names].join(' ')

  test('has a name, a group or a pattern on each line', () => {
    const folder = writeFiles({
      names: '# from last night\n nc-01\r\n\n\tnc-02\n',
      groups: 'east',
      patterns: 'nc-0[1-2]\n',
      failed: 'nc-03\n',
    })
    expect(select(folder, '@names')).toBe('nc-01 nc-02')
    expect(select(folder, '@groups:nc-01')).toBe('nc-01 nc-02 nc-03')
    expect(select(folder, '!@groups')).toBe('nc-01')
    expect(select(folder, 'east:&@patterns')).toBe('nc-02')
    expect(select(folder, '@./failed')).toBe('nc-03')
    expect(select('/nowhere', `@${join(folder, 'names')}`)).toBe('nc-01 nc-02')
  })

  test.each<[string, number, string]>([
    ['@wrong', EXIT.usage, '--limit: wrong:2: "nc-1" matches no node or group (did you mean "nc-01"?)'],
    [
      '@signed',
      EXIT.usage,
      '--limit: signed:1: "!nc-01" matches no node or group (did you mean "nc-01", "nc-02" or "nc-03"?)',
    ],
    ['@nested', EXIT.usage, '--limit: nested:1: "@wrong" matches no node or group'],
    ['@empty', EXIT.usage, '--limit: "@empty": empty has no names'],
    ['@gone', EXIT.noInput, 'gone: no such file (named by --limit)'],
    ['@.', EXIT.noInput, ': is a folder, not a file (named by --limit)'],
  ])('%s is refused', (word, exitCode, message) => {
    const folder = writeFiles({ wrong: 'nc-01\nnc-1\n', signed: '!nc-01', nested: '@wrong\n', empty: '# none\n\n' })
    const limit = `@${folder}/${word.slice(1)}`
    const refusal = refusalOf(folder, () => selectNodes(inventory, { node: [], limit }, NO_RUNS))
    expect([refusal.exitCode, refusal.message.replace(`${folder}`, '')]).toEqual([exitCode, message])
  })

  test('that is wrong throughout is not told in full', () => {
    const folder = writeFiles({ names: 'x\n'.repeat(5_000) })
    const { message } = refusalOf(folder, () =>
      selectNodes(inventory, { node: [], limit: `@${folder}/names` }, NO_RUNS),
    )
    expect(message.split('\n')).toHaveLength(11)
    expect(message).toMatch(/\nand 4990 more$/)
  })
})

test.each<[string, readonly string[]]>([
  ['a,b:c', ['a', 'b', 'c']],
  [' a , & b :! c ', ['a', '&b', '!c']],
  ['', ['']],
  ['a,', ['a', '']],
  ['nc[01:04:2],b', ['nc[01:04:2]', 'b']],
  ['~a{1,2}:b', ['~a{1,2}', 'b']],
  ['~(?:a,(b:c)),d', ['~(?:a,(b:c))', 'd']],
  ['~a\\(,b', ['~a\\(', 'b']],
  ['a),b', ['a)', 'b']],
  ['@run:x:failed:b', ['@run:x:failed', 'b']],
  ['@run:x : failed', ['@run:x', 'failed']],
  ['@run:x:failed-too', ['@run:x', 'failed-too']],
  ['!@run:x', ['!@run:x']],
])('%j is split', (text, words) => {
  expect(splitWords(text).map((word) => word.sign + word.text)).toEqual(words)
})

/** Names in which numbers and letters meet in many ways. */
const names = fc.uniqueArray(fc.stringMatching(/^[ab][ab0-3]{0,4}$/), { minLength: 1, maxLength: 30 })

/** A part of a pattern, and everything it can stand for in names of at most five letters. */
interface Part {
  readonly text: string
  readonly stands: (text: string) => boolean
}

const number = fc.nat({ max: 400 })
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.constantFrom(...'ab0123').map((letter) => ({ text: letter, stands: (text: string) => text === letter })),
  fc.constant({ text: '?', stands: (text: string) => text.length === 1 }),
  fc.constant({ text: '*', stands: () => true }),
  fc.constant({ text: '[!a1]', stands: (text: string) => text.length === 1 && !'a1'.includes(text) }),
  fc
    .tuple(number, number, fc.integer({ min: 1, max: 7 }), fc.constantFrom(0, 2, 3), fc.constantFrom('-', ':'))
    .map(([one, other, step, width, dash]) => {
      const [from, to] = [Math.min(one, other), Math.max(one, other)]
      const spell = (value: number) => String(value).padStart(Math.max(width, width && String(to).length), '0')
      const all = new Set<string>()
      for (let value = from; value <= to; value += step) all.add(spell(value))
      return { text: `[${spell(from)}${dash}${spell(to)}:${step}]`, stands: (text: string) => all.has(text) }
    }),
)

/** Every way to cut the name into as many pieces. */
function standsFor(parts: readonly Part[], name: string): boolean {
  const [first, ...rest] = parts
  if (!first) return name === ''
  return Array.from({ length: name.length + 1 }, (_, end) => end).some(
    (end) => first.stands(name.slice(0, end)) && standsFor(rest, name.slice(end)),
  )
}

test('a pattern matches what the model says it stands for', () => {
  fc.assert(
    fc.property(names, fc.array(part, { minLength: 1, maxLength: 4 }), (known, parts) => {
      const expected = known.filter((name) => standsFor(parts, name))
      expect(matched(known, parts.map(({ text }) => text).join(''))).toEqual(expected)
    }),
    { numRuns: 2_000 },
  )
})

const sign = fc.constantFrom('', '&', '!')

test('words are a union, narrowed by every & and every !', () => {
  fc.assert(
    fc.property(names, fc.array(fc.tuple(sign, fc.nat()), { minLength: 1, maxLength: 6 }), (known, choices) => {
      const words = choices.map(([mark, index]) => ({ mark, name: known[index % known.length] ?? '' }))
      const of = (mark: string) => words.filter((word) => word.mark === mark).map(({ name }) => name)
      const expected = known
        .filter((name) => of('').length === 0 || of('').includes(name))
        .filter((name) => of('&').every((one) => one === name) && !of('!').includes(name))
      expect(matched(known, words.map(({ mark, name }) => mark + name).join(','))).toEqual(expected)
    }),
  )
})

/** How often names are read to select among so many nodes, whatever is asked. */
function readsFor(count: number): number {
  let reads = 0
  const all = Array.from({ length: count }, (_, index) => `nc-${String(index + 1).padStart(6, '0')}`)
  const counted = (list: readonly string[]) =>
    new Proxy(list, {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) reads += 1
        return Reflect.get(target, key)
      },
    })
  const nodes = all.map((name) => ({
    ...nodeOf(name),
    get name() {
      reads += 1
      return name
    },
  }))
  const inventory = { ...inventoryOf([]), nodes, groups: [{ name: 'everyone', nodes: counted(all) }] }
  const folder = writeFiles({ names: all.join('\n') })
  for (const limit of [
    all.join(':'),
    `@${folder}/names`,
    `everyone:&nc-[000001-${count}]`.replace(/\d+\]/, (end) => end.padStart(7, '0')),
    '~nc-0*[1-9]',
    'nc-*:!*1',
  ]) {
    expect(selectNodes(inventory, { node: all, limit }, NO_RUNS).length).toBeGreaterThan(count / 2)
  }
  return reads
}

test('twenty times as many nodes are twenty times as many names to read', () => {
  const few = readsFor(250)
  expect(few).toBeGreaterThan(250)
  expect(readsFor(5_000)).toBeLessThanOrEqual(few * 20)
})
