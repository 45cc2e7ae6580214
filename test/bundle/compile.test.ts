/** What is true of every bundle, whatever the cloud looks like. */

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Bundle } from '../../src/bundle/bundle.ts'
import { compile, type Task } from '../../src/bundle/compile.ts'
import { readView } from '../../src/view/parse.ts'
import { writeView } from '../view/write-view.ts'
import { anyAsked, taskOf } from './any-task.ts'
import { chainsOf, createdSets, filledSets, rulesOf, setUses, textOf } from './rule-set.ts'

const BUILT_IN = /^(ACCEPT|DROP|RETURN|DNAT|SNAT|MASQUERADE|MARK|arpreply|INPUT|FORWARD|OUTPUT|PREROUTING|POSTROUTING)$/

/** With this many runs every feature of a view meets every option a few times. */
const RUNS = { numRuns: 150 }

function always(promise: string, check: (bundle: Bundle, task: Task) => void): void {
  test(promise, () => {
    fc.assert(
      fc.property(anyAsked, (asked) => check(compile(taskOf(asked)), taskOf(asked))),
      RUNS,
    )
  })
}

always('same input, same bytes', (bundle, task) => {
  expect(compile(structuredCloneOf(task))).toEqual(bundle)
})

test('the order and style of the view, and its version, leave no trace', () => {
  const keys = fc.infiniteStream(fc.nat())
  fc.assert(
    fc.property(anyAsked, keys, fc.constantFrom('4', '5'), (asked, stream, style) => {
      const task = taskOf(asked)
      const order = <T>(values: readonly T[]): readonly T[] => {
        const keyed = values.map((value) => ({ value, key: Number(stream.next().value) }))
        return keyed.toSorted((a, b) => a.key - b.key).map(({ value }) => value)
      }
      const text = writeView({ ...task.view, version: 'another' }, { style, blank: '\n ', order })
      const { view } = readView(text, 'v')
      expect(compile({ ...task, view })).toEqual(compile(task))
    }),
    RUNS,
  )
})

always('the digest names all of it: each file by its own, the manifest by the bundle', ({ digest, files }) => {
  const { files: digests, ...rest } = JSON.parse(files.find(({ name }) => name === 'manifest.json')?.text ?? '')
  const others = files.filter(({ name }) => name !== 'manifest.json')
  expect(Object.keys(digests)).toEqual(others.map(({ name }) => name))
  expect(digests).toEqual(Object.fromEntries(others.map(({ name, text }) => [name, sha256(text)])))
  expect(Object.keys(rest)).toEqual(['mode', 'node', 'address', 'entries'])
  expect(digest).toBe(sha256(files.find(({ name }) => name === 'manifest.json')?.text ?? ''))
  expect(files.map(({ name }) => name)).toEqual(files.map(({ name }) => name).toSorted())
})

always('files are lines of printable ASCII, with one newline at the end and no two blank lines', ({ files }) => {
  for (const { text } of files) {
    expect(text).toMatch(/^[ -~\n]*[ -~]\n$/)
    expect(text).not.toContain('\n\n\n')
  }
})

always('every jump leads to a chain that is there, and every chain has its rules below it', (bundle) => {
  for (const file of ['iptables.restore', 'ebtables.restore']) {
    const text = textOf(bundle, file)
    const declared = chainsOf(text).map(({ table, name }) => `${table} ${name}`)
    expect(new Set(declared).size).toBe(declared.length)
    for (const { table, chain, target } of rulesOf(text)) {
      for (const name of [chain, target])
        if (name && !BUILT_IN.test(name)) expect(declared).toContain(`${table} ${name}`)
    }
  }
})

always('every chain of ours is reached from a built-in one', (bundle) => {
  for (const file of ['iptables.restore', 'ebtables.restore']) {
    const rules = rulesOf(textOf(bundle, file))
    const reached = chainsOf(textOf(bundle, file)).filter(({ table, name }) => {
      return rules.some((rule) => rule.table === table && rule.target === name)
    })
    expect(reached).toEqual(chainsOf(textOf(bundle, file)))
  }
})

always('every set that is used or filled is created, once and before', (bundle) => {
  const text = textOf(bundle, 'ipset.restore')
  const created = createdSets(text)
  expect(new Set(created).size).toBe(created.length)
  for (const { set } of setUses(rulesOf(textOf(bundle, 'iptables.restore')))) expect(created).toContain(set)
  for (const set of filledSets(text)) expect(created).toContain(set)
  for (const set of created) {
    const first = text.indexOf(`add ${set} `)
    expect(first === -1 || first > text.indexOf(`create ${set} `)).toBe(true)
  }
  const lines = text.split('\n').filter((line) => line.startsWith('add '))
  expect(new Set(lines).size).toBe(lines.length)
})

always('no chain holds a rule twice', (bundle) => {
  for (const file of ['iptables.restore', 'ebtables.restore']) {
    const lines = rulesOf(textOf(bundle, file)).map(({ table, line }) => `${table} ${line}`)
    expect(lines.filter((line, index) => lines.indexOf(line) !== index)).toEqual([])
  }
})

always('names fit into the kernel', (bundle) => {
  for (const { name } of chainsOf(textOf(bundle, 'iptables.restore'))) expect(name.length).toBeLessThanOrEqual(28)
  for (const { name } of chainsOf(textOf(bundle, 'ebtables.restore'))) expect(name.length).toBeLessThanOrEqual(31)
  for (const name of createdSets(textOf(bundle, 'ipset.restore'))) expect(name.length).toBeLessThanOrEqual(31)
  const devices = bundle.files.flatMap(({ name, text }) => {
    return name === 'apply.sh'
      ? []
      : [...text.matchAll(/(?: dev | -[io] |--physdev-(?:in|out) )(\S+)/g)].map(([, device = '']) => device)
  })
  for (const device of devices) expect(device).toMatch(/^[A-Za-z0-9_.-]{1,15}$|^vn_i\+$/)
})

/**
 * What a push does to a set in which phase rests on this: a set either only permits by growing or only restricts by
 * growing, and the names say which. A mark restricts: no rule accepts a packet for having it.
 */
always('a set has one polarity, as its name says', (bundle) => {
  const rules = rulesOf(textOf(bundle, 'iptables.restore'))
  for (const { set, negated, rule } of setUses(rules)) {
    const restricts = set.startsWith('EUCA_')
    if (rule.table === 'raw' || rule.target === undefined) expect(rule.target).toBeUndefined()
    else if (restricts)
      expect([negated, rule.target]).toEqual([rule.target === 'ACCEPT', expect.stringMatching(/^(ACCEPT|DROP|MARK)$/)])
    else expect([negated, rule.target === 'ACCEPT' || rule.target === set]).toEqual([false, true])
  }
  for (const { line } of rules) if (line.includes('--mark')) expect(line).toMatch(/ -m mark ! --mark 0x2a/)
  for (const { chain, target } of rules) if (!/^(EUCA_|[A-Z]+$)/.test(chain)) expect(target).toBe('ACCEPT')
})

always('an instance is served in full: it has a lease, and no other node has its rules', (bundle, { view, node }) => {
  const local = view.clusters.flatMap(({ nodes }) => nodes).find(({ name }) => name === node.address)?.instances ?? []
  const leases = [...textOf(bundle, 'dhcpd.conf').matchAll(/fixed-address (\S+);/g)].map(([, address]) => address)
  const wanted = view.instances
    .filter(({ id }) => local.includes(id))
    .map(({ privateAddress }) => String(privateAddress))
  expect(leases).toEqual(wanted)
  const dropped = rulesOf(textOf(bundle, 'iptables.restore')).filter(({ chain }) => chain === 'EUCA_FILTER_FWD_DROPPED')
  expect(setUses(dropped)).toHaveLength(2 * wanted.length)
})

always('a node has the unit that makes its bundle anew when it is to persist, and only then', ({ files }, { node }) => {
  expect(files.some(({ name }) => name === 'edgepush-restore.service')).toBe(node.persist)
})

function structuredCloneOf(task: Task): Task {
  return {
    ...task,
    view: structuredClone(task.view),
    node: structuredClone(task.node),
    facts: structuredClone(task.facts),
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
