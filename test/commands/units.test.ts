/** The units that `edgepush units` makes are ones that systemd takes, and start what they say. */

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CLI, edgepush } from './cli.ts'

const isThere = spawnSync('systemd-analyze', ['--version']).status === 0
if (!isThere) console.error('SKIPPED: systemd-analyze is not on this machine')

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-units-'))
  const plan = 'name: push\ninventory: ./lab.yml\nstages: [{ name: all, targets: [all] }]\n'
  const nodes =
    'cloud: lab\nnodes: { nc-01: { role: nc, address: 10.0.0.1, ssh: { key: ./key, known_hosts: ./known } } }\n'
  for (const name of ['plain', 'my 100% "odd" $place']) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'push.yml'), plan)
    writeFileSync(join(folder, name, 'lab.yml'), nodes)
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

async function make(kind: string, place: string): Promise<string> {
  const out = join(folder, `${kind} of ${place.slice(0, 2)}`.replaceAll(' ', '-'))
  const made = await edgepush(['units', kind, 'push.yml', '--out', out], join(folder, place), join(folder, 'state'))
  expect(made).toMatchObject({ code: 0 })
  return out
}

it('name the program, the playbook and the record by their whole paths', async () => {
  const out = await make('watch', 'plain')
  expect(readdirSync(out)).toEqual(['edgepush-watch.service'])
  const unit = readFileSync(join(out, 'edgepush-watch.service'), 'utf8')
  expect(unit).toContain(`\nExecStart=${process.execPath} ${CLI} watch ${folder}/plain/push.yml\n`)
  expect(unit).toContain(`\nEnvironment=EDGEPUSH_STATE=${folder}/state\n`)
})

it.skipIf(!isThere).each([
  ['watch', 'plain', ['edgepush-watch.service']],
  ['timer', 'plain', ['edgepush-push.service', 'edgepush-push.timer']],
  ['watch', 'my 100% "odd" $place', ['edgepush-watch.service']],
])('systemd objects to nothing: %s of %s', async (kind, place, names) => {
  const out = await make(kind, place)
  expect(readdirSync(out)).toEqual(names)
  expect(verify(out, names)).toEqual({ status: 0, said: '' })
})

it.skipIf(!isThere).each([
  ['edgepush-push.timer', 'RandomizedDelaySec', 'RandomDelaySec'],
  ['edgepush-push.service', 'Type=oneshot', 'Type=onceshot'],
])('systemd is listened to: %s without %s', async (name, right, wrong) => {
  const out = await make('timer', 'plain')
  const file = join(out, name)
  const unit = readFileSync(file, 'utf8')
  writeFileSync(file, unit.replace(right, wrong))
  expect(verify(out, [name]).said).toContain(wrong.split('=').at(-1))
})

it('prints them where no folder is named', async () => {
  const { code, stdout } = await edgepush(['units', 'timer', 'push.yml'], join(folder, 'plain'))
  expect(code).toBe(0)
  expect(stdout.match(/^# edgepush-push\.(service|timer)$/gm)).toHaveLength(2)
})

it('refuses a playbook that is not one', async () => {
  expect(await edgepush(['units', 'watch', 'lab.yml'], join(folder, 'plain'))).toMatchObject({ code: 78 })
  expect(await edgepush(['units', 'cron'], join(folder, 'plain'))).toMatchObject({ code: 64 })
})

function verify(place: string, names: readonly string[]): { readonly status: number | null; readonly said: string } {
  const files = names.map((name) => join(place, name))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], { encoding: 'utf8' })
  // What it says of other units of this machine is not about ours.
  const said = stderr.split('\n').filter((line) => line.includes('edgepush'))
  return { status, said: said.join('\n') }
}
