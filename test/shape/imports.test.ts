// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the samples are source text

/** The shape of src/, as its imports show it; and that each rule would notice. */

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as rules from './rules.ts'
import { importsOf, partsOf, readSources, type SourceFile } from './source-file.ts'

const sources = readSources(join(import.meta.dirname, '../../src'))

const RULES: readonly {
  readonly rule: (files: readonly SourceFile[]) => readonly string[]
  readonly promise: string
  /** Each is one file, or two that need each other, and breaks the rule as often as it has entries. */
  readonly breaches: readonly Readonly<Record<string, string>>[]
}[] = [
  {
    rule: rules.wrongDirections,
    promise: 'parts import only what lies below them',
    breaches: [
      { 'view/view.ts': "import { ask } from '../node/exchange.ts'" },
      { 'view/view.ts': "import type { Mode } from '../modes/mode.ts'" },
      { 'view/parse/rule.ts': "import { fetchView } from '../source/fetch-view.ts'" },
      { 'artifacts/ipset.ts': "import type { Mode } from '../modes/mode.ts'" },
      { 'modes/edge/desired.ts': "import { render } from '../../bundle/render.ts'" },
      { 'bundle/compile.ts': "import { ask } from '../node/exchange.ts'" },
      { 'node/probe.ts': "import type { Facts } from '../modes/mode.ts'" },
      { 'node/probe.ts': "import type {\n  View,\n} from '../view/view.ts'" },
      { 'config/inventory.ts': "import { type Role, MODES } from '../modes/mode.ts'" },
      { 'config/inventory.ts': "const more = await import('../node/ssh.ts')" },
      { 'run/push-node.ts': "export { Unfit } from '../modes/mode.ts'" },
      { 'record/record.ts': "export * from '../report/log.ts'" },
      { 'report/event-stream.ts': "import '../commands/context.ts'" },
      { 'report/event-stream.ts': "let context: import('../commands/context.ts').Context" },
      { 'commands/push.ts': "import { explain } from '../cli.ts'" },
      { 'cli.ts': "import { modeOf } from './modes/index.ts'" },
      { 'extras/more.ts': '' },
    ],
  },
  {
    rule: rules.viewKnowers,
    promise: 'node, run, record and report know no view, not even by way of others',
    breaches: [
      {
        'node/probe.ts': "import '../bundle/compile.ts'",
        'bundle/compile.ts': "import type { View } from '../view/view.ts'",
      },
      {
        'run/stages.ts': "import '../bundle/compile.ts'",
        'bundle/compile.ts': "import type { Mode } from '../modes/mode.ts'",
      },
    ],
  },
  {
    rule: rules.importCycles,
    promise: 'no file imports itself in the end',
    breaches: [{ 'run/event.ts': "import type { A } from './event.ts'" }],
  },
  {
    rule: rules.missingImports,
    promise: 'every import leads to a file that is read here',
    breaches: [{ 'run/event.ts': "import { a } from './outcomes.ts'" }],
  },
  {
    rule: rules.impurities,
    promise: 'view, modes, artifacts and bundle touch no disk, network, clock, process or randomness',
    breaches: [
      { 'view/parse.ts': "import { readFileSync } from 'node:fs'" },
      { 'view/parse.ts': "import fs from 'fs'" },
      { 'bundle/compile.ts': "import { createHash, randomBytes } from 'node:crypto'" },
      { 'bundle/compile.ts': "import pLimit from 'p-limit'" },
      { 'bundle/compile.ts': 'const made = `at ${new Date().toISOString()}`' },
      { 'modes/mode.ts': 'const began = performance.now()' },
      { 'modes/edge/desired.ts': 'const dice = Math.random()' },
      { 'artifacts/ipset.ts': "const place = process.env['HOME']" },
      { 'artifacts/ipset.ts': "const half = 4 / 2 // that's all\nsetTimeout(() => '/', 1)" },
      { 'modes/edge/desired.ts': 'names.sort((a, b) => a.localeCompare(b))' },
    ],
  },
  {
    rule: rules.modesThatImportModes,
    promise: 'modes do not import each other',
    breaches: [
      { 'modes/edge/desired.ts': "import { a } from '../managed/desired.ts'" },
      { 'modes/managed/desired.ts': "import { a } from '../managed-novlan/desired.ts'" },
    ],
  },
  {
    rule: rules.modeNames,
    promise: 'nothing outside modes/ and templates/ names a mode',
    breaches: [
      { 'run/event.ts': '/** As in EDGE. */' },
      { 'view/view.ts': "if (view.mode === 'MANAGED-NOVLAN') refuse()" },
      { 'node/probe.ts': 'const VPCMIDO = 1' },
      { 'bundle/compile.ts': "const name = 'edge'" },
      { 'bundle/compile.ts': 'const path = `templates/${root}/static/ipset.hbs`' },
      { 'commands/push.ts': 'const folder = "managed-novlan/"' },
    ],
  },
  {
    rule: rules.processUsers,
    promise: 'only cli.ts uses the process and its streams, and only one file below it starts others',
    breaches: [
      { 'commands/push.ts': "process.stdout.write('x')" },
      { 'report/table.ts': 'console.error(`${1}`)' },
      { 'config/login.ts': "import { env } from 'node:process'" },
      { 'node/ssh.ts': "import { spawn } from 'node:child_process'" },
      { 'node/programs.ts': "import { env } from 'node:process'" },
    ],
  },
]

describe.each(RULES)('$promise', ({ rule, breaches }) => {
  it('holds', () => {
    expect(rule(sources)).toEqual([])
  })

  it.each(breaches)('would notice %o', (breach) => {
    expect(rule(toFiles(breach))).toHaveLength(1)
  })
})

it('a cycle through several files shows all of them', () => {
  const cycle = {
    'run/a.ts': "import './b.ts'",
    'run/b.ts': "export type { A } from './c.ts'",
    'run/c.ts': "import './a.ts'",
  }
  expect(rules.importCycles(toFiles(cycle))).toHaveLength(3)
})

it('what is allowed is not reported', () => {
  const files = toFiles({
    'modes/managed-novlan/desired.ts': "import { a } from '../managed/desired.ts'\n/** STATIC and SYSTEM */",
    'view/parse.ts': "// The system's edge: a static process, whose Date is past.\nconst text = 'process.exit(Date)'",
    'bundle/compile.ts': "import { createHash } from 'node:crypto'\nconst says = 'the edge of the system'",
    'config/login.ts': "import { type A, type B } from '../modes/mode.ts'",
  })
  for (const { rule } of RULES) if (rule !== rules.missingImports) expect(rule(files)).toEqual([])
})

it('reads strings, templates, comments and regular expressions', () => {
  const text = "a = b / 2 // it's\nc = /['`/]/.test(`x${d ? `${'y'}` : \"z\"}w`) /* ` */ / 3\n"
  const { code, strings } = partsOf(text)
  expect(code.replaceAll(/\s+/g, ' ')).toBe("a = b / 2 c = .test('#0'+(d ? '#1'+('#2')+'#3' : '#4')+'#5') / 3 ")
  expect(strings).toEqual(['x', '', 'y', '', 'z', 'w'])
})

it('finds every import of every file', () => {
  for (const file of sources) {
    const lines = file.text.match(/^(?:import|\} from|export .* from) .*|\bimport\(/gm) ?? []
    const complete = lines.filter((line) => !/^import (?:type )?\{$/.test(line))
    expect([file.path, importsOf(file).length]).toEqual([file.path, complete.length])
  }
  expect(sources.length).toBeGreaterThan(50)
})

function toFiles(texts: Readonly<Record<string, string>>): readonly SourceFile[] {
  return Object.entries(texts).map(([path, text]) => ({ path, text }))
}
