/** The unit that makes a node's bundle anew is one that systemd takes. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { render } from '../../src/bundle/render.ts'
import { packageTemplates } from '../../src/config/templates.ts'

const NAME = 'edgepush-restore.service'
const UNIT = render(packageTemplates()[`node/${NAME}.hbs`] ?? '', {})

const isThere = spawnSync('systemd-analyze', ['--version']).status === 0
if (!isThere) console.error('SKIPPED: systemd-analyze is not on this machine')

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-unit-'))
})

afterAll(() => rmSync(folder, { recursive: true }))

it.skipIf(!isThere)('systemd objects to nothing in it', () => {
  expect(verify(UNIT)).toEqual({ status: 0, said: '' })
})

it.skipIf(!isThere).each([
  ['a key that means nothing', UNIT.replace('RemainAfterExit', 'RemainAfterEnd'), 'RemainAfterEnd'],
  ['a program that is not there', UNIT.replace('/bin/sh', '/bin/shh'), '/bin/shh is not executable'],
  ['an order that cannot be', UNIT.replace('After=', 'Before=sysinit.target\nAfter='), 'ordering cycle'],
])('systemd is listened to: %s', (_, unit, objection) => {
  expect(unit).not.toBe(UNIT)
  expect(verify(unit).said).toContain(objection)
})

function verify(unit: string): { readonly status: number | null; readonly said: string } {
  const file = join(folder, NAME)
  writeFileSync(file, unit)
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
  // What it says of other units of this machine is not about ours.
  const said = stderr.split('\n').filter((line) => line.includes('edgepush') || line.includes('cycle'))
  return { status, said: said.join('\n') }
}
