/** A template that is wrong by one letter is an error, never a file with less in it; a value is never more than a value. */

import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { render } from '../../src/bundle/render.ts'
import { shells } from '../shells.ts'

const DATA = {
  node: 'nc-01',
  yes: true,
  no: false,
  empty: '',
  none: [],
  gateway: { address: '10.0.0.1', fake: false },
  groups: [{ id: 'sg-1', rules: [{ cidr: '10.0.0.0/8', match: { protocol: 'tcp', ports: { from: 22, to: 22 } } }] }],
  names: ['one', 'two'],
}

describe('a line for each of many', () => {
  const adding = (name: unknown, members: unknown) => () => render('{{add name members}}\n', { name, members })

  it('is as if each were written by itself', () => {
    expect(adding('one', ['a', 'b/8'])()).toBe('add one a\nadd one b/8\n')
  })

  it.each([
    ['a member with a line of its own', 'one', ['a', 'b\nflush']],
    ['a name with a line of its own', 'one\nflush', ['a']],
    ['a member that is a number', 'one', ['a', 1]],
    ['a member that is nothing', 'one', [undefined, 'a']],
    ['no list', 'one', undefined],
  ])('%s is refused', (_, name, members) => {
    expect(adding(name, members)).toThrow()
  })
})

describe('a name that is not there', () => {
  it.each([
    '{{nodes}}',
    '{{gateway.adress}}',
    '{{gatway.address}}',
    '{{#each grups}}{{id}}{{/each}}',
    '{{#each groups}}{{ids}}{{/each}}',
    '{{#each groups}}{{this.ids}}{{/each}}',
    '{{#each groups}}{{#each rule}}{{cidr}}{{/each}}{{/each}}',
    '{{#each groups}}{{#each rules}}{{../ids}}{{/each}}{{/each}}',
    '{{#each groups}}{{#each rules}}{{../../nodes}}{{/each}}{{/each}}',
    '{{#each groups}}{{../nodes}}{{/each}}',
    '{{#each groups}}{{node}}{{/each}}',
    '{{#if nodes}}x{{/if}}',
    '{{#if gateway.fakes}}x{{/if}}',
    '{{#unless nodes}}x{{/unless}}',
    '{{#if no}}{{else if nodes}}x{{/if}}',
    '{{#each groups}}{{#if name}}x{{/if}}{{/each}}',
    '{{#each groups}}{{#each rules}}{{#if ../name}}x{{/if}}{{/each}}{{/each}}',
    '{{#each gateway.addresses}}x{{/each}}',
    '{{#with gatway}}x{{/with}}',
    '{{upper nodes}}',
    '{{quote nodes}}',
    '{{packets match}}',
    '{{#each names}}{{#unless @frist}} {{/unless}}{{this}}{{/each}}',
    '{{#each names}}{{@indx}}{{/each}}',
    '{{#if @root.nodes}}x{{/if}}',
    '{{names.[2]}}',
    '{{shout node}}',
    '{{#shout node}}{{/shout}}',
    '{{> header}}',
  ])('%s', (template) => {
    expect(() => render(template, DATA)).toThrow()
  })
})

it('says which name is missing, and where it was looked for', () => {
  expect(() => render('{{#each groups}}{{#if name}}x{{/if}}{{/each}}', DATA)).toThrow('"groups.0.name"')
})

describe('what cannot stand in a file', () => {
  it.each([
    ['an object', '{{gateway}}'],
    ['a list', '{{names}}'],
    ['an empty list', '{{none}}'],
    ['a truth', '{{yes}}'],
    ['a list in a loop', '{{#each groups}}{{rules}}{{/each}}'],
    ['a value past the guard', '{{{node}}}'],
    ['a value past the guard by another sign', '{{&node}}'],
    ['a value past the guard, deep inside', '{{#each names}}{{#if ../yes}}{{{this}}}{{/if}}{{/each}}'],
  ])('%s', (_, template) => {
    expect(() => render(template, DATA)).toThrow(/a template prints/)
  })

  it.each([undefined, null, Symbol('x'), 1n, Number.NaN, Number.POSITIVE_INFINITY])('%s', (value) => {
    expect(() => render('{{value}}', { value })).toThrow()
    expect(() => render('{{#each list}}{{this}}{{/each}}', { list: [value] })).toThrow()
  })

  const controls = [
    ...Array.from({ length: 32 }, (_, code) => code),
    0x7f,
    ...Array.from({ length: 32 }, (_, code) => 0x80 + code),
    0x2028,
    0x2029,
  ]
  it.each(controls)('the control character %i', (code) => {
    const value = `a${String.fromCodePoint(code)}b`
    for (const template of ['{{value}}', '{{quote value}}', '{{upper value}}', '{{#each list}}{{this}}{{/each}}']) {
      expect(() => render(template, { value, list: [value] })).toThrow('control characters')
    }
  })
})

it('what is there is printed as it is', () => {
  const template =
    '{{node}} {{#each groups}}{{id}} {{#each rules}}{{cidr}} {{../id}} {{packets match}}{{/each}}{{/each}}'
  expect(render(template, DATA)).toBe('nc-01 sg-1 10.0.0.0/8 sg-1 -p tcp -m tcp --dport 22\n')
  expect(
    render('{{#each names}}{{#unless @first}},{{/unless}}{{this}}{{/each}}{{#if no}}x{{/if}}{{empty}}', DATA),
  ).toBe('one,two\n')
  expect(render('{{value}}', { value: `<&"'{{node}}\\$` })).toBe(`<&"'{{node}}\\$\n`)
  expect(render('{{#if no}}x{{/if}}', DATA)).toBe('')
})

describe.each(shells())('%s', (shell) => {
  it('reads a quoted value as it was', () => {
    const printable = fc.string({ unit: 'grapheme' }).filter((text) => !/[\p{Cc}\u2028\u2029]/u.test(text))
    const nasty = fc.string({
      unit: fc.constantFrom("'", '"', '\\', '$', '`', '!', '~', '#', ' ', '*', '(', ';', '&', 'n', '%'),
    })
    fc.assert(
      fc.property(fc.array(fc.oneof(printable, nasty), { minLength: 20, maxLength: 50 }), (values) => {
        const script = render(`{{#each values}}\nv={{quote this}}; printf '%s\\n' "$v"\n{{/each}}`, { values })
        const said = execFileSync(shell.command, [...shell.args, '-c', script], { encoding: 'utf8' })
        expect(said).toBe(values.map((value) => `${value}\n`).join(''))
      }),
      { numRuns: 30 },
    )
  })
})
