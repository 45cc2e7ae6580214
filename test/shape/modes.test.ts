/** A mode is the same name in three roots and one line in modes/index.ts: this says what was forgotten of a new one. */

import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { edge } from '../../src/modes/edge/index.ts'
import { MODES } from '../../src/modes/index.ts'
import { type Duty, dutyOf } from '../../src/modes/mode.ts'
import { forgotten } from './mode-rules.ts'

const ROOT = join(import.meta.dirname, '../..')

let copy: string

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'edgepush-modes-'))
})

afterAll(() => rmSync(copy, { recursive: true }))

it('nothing of any mode was forgotten', () => {
  expect(forgotten(ROOT, MODES)).toEqual([])
})

/** What is done to a copy of the repository, and what is then said. */
it.each([
  [(root) => mkdirSync(join(root, 'src/modes/mesh')), 'src/modes/mesh is not in src/modes/index.ts'],
  [(root) => mkdirSync(join(root, 'templates/mesh')), 'templates/mesh is of no mode'],
  [(root) => mkdirSync(join(root, 'test/cases/mesh')), 'test/cases/mesh is of no mode'],
  [(root) => rmSync(join(root, 'src/modes/edge/index.ts')), 'there is no src/modes/edge/index.ts'],
  [(root) => rmSync(join(root, 'src/modes/edge/desired.ts')), 'there is no src/modes/edge/desired.ts'],
  [(root) => rmSync(join(root, 'src/modes/edge/README.md')), 'there is no src/modes/edge/README.md'],
  [(root) => rmSync(join(root, 'templates/edge/ipset.hbs')), 'there is no templates/edge/ipset.hbs'],
  [(root) => writeFileSync(join(root, 'templates/edge/more.hbs'), ''), 'templates/edge/more.hbs is of no artifact'],
  [(root) => rmSync(join(root, 'test/cases/edge'), { recursive: true }), 'there is no case in test/cases/edge'],
  [
    (root) => mkdirSync(join(root, 'test/cases/edge/new/expected'), { recursive: true }),
    /^there is no test\/cases\/edge\/new\/(view\.xml|inventory\.yml)$/,
  ],
] satisfies [(root: string) => unknown, string | RegExp][])('would notice: %s', (harm, sentence) => {
  const root = mkdtempSync(join(copy, 'root-'))
  for (const part of ['src/modes', 'templates', 'test/cases'])
    cpSync(join(ROOT, part), join(root, part), { recursive: true })
  harm(root)
  const said = forgotten(root, MODES)
  expect(said.length).toBeGreaterThan(0)
  for (const line of said) expect(line).toMatch(sentence)
})

it.each<[string, (duty: Duty) => Duty]>([
  [
    'two artifacts are called ipset',
    (duty) => ({ ...duty, artifacts: [...duty.artifacts, ...artifact(duty, { file: 'other' })] }),
  ],
  [
    'two artifacts make ipset.restore',
    (duty) => ({ ...duty, artifacts: [...artifact(duty, { name: 'other' }), ...duty.artifacts] }),
  ],
  ['two artifacts are called persistence', (duty) => ({ ...duty, artifacts: artifact(duty, { name: 'persistence' }) })],
  ['no shell function is called ip-set_show', (duty) => ({ ...duty, artifacts: artifact(duty, { name: 'ip-set' }) })],
  ['two checks are called dhcp', (duty) => ({ ...duty, checks: [...duty.checks, ...check(duty, { name: 'dhcp' })] })],
  ['no shell function is called try_dh-cp', (duty) => ({ ...duty, checks: check(duty, { name: 'dh-cp' }) })],
  ['no playbook can name dns', (duty) => ({ ...duty, checks: check(duty, { name: 'dns' }) })],
  ['no playbook can name reconnect', (duty) => ({ ...duty, checks: check(duty, { name: 'reconnect' }) })],
  ['no file of a bundle is called apply.sh', (duty) => ({ ...duty, artifacts: artifact(duty, { file: 'apply.sh' }) })],
  ['no command is called ip link', (duty) => ({ ...duty, artifacts: artifact(duty, { needs: ['ip link'] }) })],
  ['two options are called VNET_BRIDGE', (duty) => ({ ...duty, options: [...duty.options, option('VNET_BRIDGE')] })],
  ['no option is called PATH', (duty) => ({ ...duty, options: [option('PATH')] })],
  ['no option is called bridge', (duty) => ({ ...duty, options: [option('bridge')] })],
  [
    'the fallback of A is empty',
    (duty) => ({ ...duty, options: [{ name: 'A', fallback: '', check: () => 'is empty' }] }),
  ],
])('would notice: %s', (sentence, harm) => {
  const harmed = { ...edge, duties: { nc: harm(dutyOf(edge, 'nc')) } }
  expect(forgotten(ROOT, [harmed])).toContainEqual(`${edge.name}: ${sentence}`)
})

it('would notice two modes of one name', () => {
  expect(forgotten(ROOT, [...MODES, ...MODES])).toContain('two modes are called edge')
})

function artifact(duty: Duty, change: Partial<Duty['artifacts'][number]>): Duty['artifacts'] {
  return duty.artifacts.filter(({ name }) => name === 'ipset').map((one) => ({ ...one, ...change }))
}

function check(duty: Duty, change: Partial<Duty['checks'][number]>): Duty['checks'] {
  return duty.checks.slice(0, 1).map((one) => ({ ...one, ...change }))
}

function option(name: string): Duty['options'][number] {
  return { name, check: () => undefined }
}
