/** What a lenient reading leaves out, for what, and that it leaves out nothing else. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SCOPES, type Scope } from '../../src/view/parse/scope.ts'
import { parseView, type Reading } from '../../src/view/parse.ts'
import { anyView } from './any-view.ts'
import { renderEverywhere } from './render-everywhere.ts'
import { spoil, spoils } from './spoil-view.ts'
import { type Writing, writeView } from './write-view.ts'

const LENIENT: Reading = { lenient: true, mode: undefined }
const SOUND = readFileSync(join(import.meta.dirname, 'samples/edge-1cluster-2nc.v4.4.xml'), 'utf8')
const DOCUMENT = readFileSync(join(import.meta.dirname, '../../docs/views.md'), 'utf8')
const PLAIN: Writing = { style: '5', blank: '', order: (values) => values }

/** Every kind of error as docs/views.md lists it, an example of it, how far it reaches, and how many parts it costs. */
const KINDS: readonly (readonly [kind: string, scope: Scope, parts: number, from: string | RegExp, to: string])[] = [
  ['not XML, cut short, a document type, a namespace, another root', 'view', 0, '</network-data>', ''],
  ['a section is missing or there twice', 'view', 0, '<vpcs/>', '<instances/>'],
  ['the mode is missing, there twice, no name, or not what `--mode` says', 'view', 0, 'EDGE', ''],
  [
    'an address of the cloud controller, its DNS servers or domain',
    'view',
    0,
    '<value>10.20.0.10</value>',
    '<value>clc</value>',
  ],
  ['a subnet: incomplete, netmask, gateway', 'view', 0, '172.20.4.1<', '172.20.5.1<'],
  ['a cluster: name, controller, MAC prefix', 'view', 0, 'cluster name="az-one"', 'cluster'],
  ['two clusters or two nodes of one name', 'view', 0, 'node name="10.20.0.32"', 'node name="10.20.0.31"'],
  ['a node without a name, or with one that is no host', 'view', 0, 'node name="10.20.0.31"', 'node name=".."'],
  [
    'an address that is no IPv4 address, or a range backwards, in a pool',
    'range',
    1,
    '203.0.113.60<',
    '203.0.113.0/24<',
  ],
  [
    'an id that is none in the list of a node',
    'placement',
    1,
    '<value>i-9f1e6a35</value>',
    '<value>i-9f1e6a35</value><value>x</value>',
  ],
  ['an instance: id, owner, MAC, private or public address', 'instance', 1, 'd0:0d:1d:b2:f6:04', 'xx'],
  ['an instance on two nodes', 'instance', 1, '<value>i-9f1e6a35</value>', '<value>i-2ea53c7b</value>'],
  ['two instances of one id, address, MAC or interface', 'instance', 2, '172.20.4.21<', '172.20.4.20<'],
  ['an instance in no group', 'membership', 1, '<value>sg-77e1b0f9</value>', ''],
  [
    'an instance in a group that the view has not, or whose name is none',
    'membership',
    1,
    '<value>sg-51d0c4a2</value>',
    '<value>sg-0</value>',
  ],
  ['a group: name, owner', 'group', 3, /(<securityGroup name="sg-77e1b0f9">\s*<ownerId>)[^<]*/, '$1 '],
  ['two groups of one name', 'group', 4, 'securityGroup name="sg-9900aa11"', 'securityGroup name="sg-77e1b0f9"'],
  [
    'a rule: protocol, ports, ICMP type or code missing, source; as text, what is no rule',
    'rule',
    1,
    '<protocol>47<',
    '<protocol>-1<',
  ],
]

describe('a kind of error', () => {
  test.each(KINDS)('%s', (_, scope, parts, from, to) => {
    const text = SOUND.replace(from, to)
    expect(text).not.toBe(SOUND)
    const strict = parseView(text, 'v')
    expect(strict.view).toBeUndefined()
    expect(strict.leftOut).toBe(0)
    expect(strict.findings.filter(({ severity }) => severity === 'error').map((error) => error.scope)).toContain(scope)

    const lenient = parseView(text, 'v', LENIENT)
    const leftOut = lenient.findings.filter(({ severity }) => severity === 'left-out')
    expect(lenient.view === undefined).toBe(scope === 'view')
    expect(lenient.leftOut).toBe(scope === 'view' ? leftOut.length : parts)
    if (lenient.view) expect(renderEverywhere(lenient.view)).toHaveLength(2)
    if (scope !== 'view') expect(leftOut.map((finding) => finding.scope)).toContain(scope)
  })

  test('the document lists these kinds, and with them what is left out', () => {
    const rows = [...DOCUMENT.matchAll(/^\| (.+?) \| (.+?) \|$/gm)].map(([, kind, part]) => [kind, part])
    for (const [kind, scope] of KINDS)
      expect(rows).toContainEqual([kind, scope === 'view' ? 'nothing: the view is refused' : SCOPES[scope].part])
    const section = DOCUMENT.slice(DOCUMENT.indexOf('## What is an error'), DOCUMENT.indexOf('## What is doubted'))
    expect([...section.matchAll(/^\| (?!---|what)/gm)]).toHaveLength(KINDS.length)
  })
})

test('a sound view is the same read leniently', () => {
  fc.assert(
    fc.property(anyView, (view) => {
      expect(parseView(writeView(view, PLAIN), 'v', LENIENT)).toMatchObject({ view, leftOut: 0 })
    }),
  )
})

test('several defects of one instance are one instance left out, and all of them are said', () => {
  const text = SOUND.replace('d0:0d:1d:b2:f6:04', 'xx')
    .replace('203.0.113.17<', 'x<')
    .replace('172.20.4.21<', '172.20.4.20<')
  const { view, findings, leftOut } = parseView(text, 'v', LENIENT)
  expect(view?.instances.map(({ id }) => id)).not.toContain('i-1db2f604')
  expect(leftOut).toBe(1)
  expect(findings.filter(({ severity }) => severity === 'left-out').map(({ where }) => where)).toEqual([
    'v:75 instance i-1db2f604',
    'v:76 instance i-1db2f604',
  ])
})

test.each([
  ['its group is none, though its network is one', '<cidr>192.0.2.9/32', '<groupId>$(id)</groupId><cidr>192.0.2.9/32'],
  ['its network is none, though its group is one', '<cidr>192.0.2.9/32', '<groupId>sg-9900aa11</groupId><cidr>x'],
  ['it has two networks', '<cidr>192.0.2.9/32', '<cidr>192.0.2.9/32</cidr><cidr>0.0.0.0/0'],
])('a rule is left out whole when %s', (_, from, to) => {
  const text = SOUND.replace(from, to)
  expect(text).not.toBe(SOUND)
  const { view, leftOut } = parseView(text, 'v', LENIENT)
  expect(leftOut).toBe(1)
  expect(view?.groups.flatMap(({ ingress }) => ingress.map(({ match }) => match.protocol))).not.toContain(47)
})

test('nothing is let in to the address of an instance that is left out', () => {
  const { view } = parseView(SOUND.replace('d0:0d:1d:b2:f6:04', 'xx'), 'v', LENIENT)
  expect(view?.withheld).toEqual(['172.20.4.21'])
  const sets = view
    ? renderEverywhere(view).map(({ files }) => files.find(({ name }) => name === 'ipset.restore')?.text)
    : []
  for (const text of sets) expect(text?.match(/add .* 172\.20\.4\.21$/gm)).toEqual(['add EUCA_ALLPRIVATE 172.20.4.21'])
})

test('an instance whose address is not known stops the nodes that have no bridge rules, and no others', () => {
  const { view } = parseView(SOUND.replace('172.20.4.21<', 'x<'), 'v', LENIENT)
  expect(view).toMatchObject({ untraced: 1, withheld: [] })
  const render = (option: string) => view && renderEverywhere(view, `DISABLE_L2_ISOLATION: ${option}`)
  expect(render('"N"')).toHaveLength(2)
  expect(() => render('"Y"')).toThrow('an instance was left out without a known address')
})

test('a view of which a part is wrong is the view without that part', () => {
  fc.assert(
    fc.property(anyView, spoils(), (view, plan) => {
      const { spoilt, rest, parts } = spoil(view, plan)
      const read = parseView(writeView(spoilt, PLAIN), 'v', LENIENT)
      expect(read.view).toEqual(rest)
      expect(read.leftOut).toBe(parts)
      if (parts > 0) expect(parseView(writeView(spoilt, PLAIN), 'v').view).toBeUndefined()
    }),
    { numRuns: 500 },
  )
})
