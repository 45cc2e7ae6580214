import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CASE, edgepush } from './cli.ts'

const GROUPED = `cloud: lab
defaults: { role: nc }
groups:
  canary: { nodes: [nc-01] }
  east: { nodes: [nc-02, nc-01], ssh: { user: admin } }
nodes:
  nc-02: { address: 10.0.0.2, ssh: { host: two.mgmt, port: 2222 } }
  nc-01: { address: 10.0.0.1 }
  cc-01: { address: 10.0.0.9, role: cc }
`

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-nodes-'))
  writeFileSync(join(folder, 'lab.yml'), GROUPED)
})

afterAll(() => rmSync(folder, { recursive: true }))

it('lists the nodes of a case', async () => {
  expect(await edgepush(['nodes', '-i', join(CASE, 'inventory.yml')])).toEqual({
    code: 0,
    stdout: `NODE       ADDRESS      ROLE  LOGIN                GROUPS
nc-110-51  10.110.5.51  nc    root@10.110.5.51:22
nc-110-52  10.110.5.52  nc    root@10.110.5.52:22
`,
    stderr: '',
  })
})

it('lists them by name, with their logins and groups', async () => {
  expect(
    (await edgepush(['nodes', '-i', 'lab.yml'], folder)).stdout,
  ).toBe(`NODE   ADDRESS   ROLE  LOGIN                GROUPS
cc-01  10.0.0.9  cc    root@10.0.0.9:22
nc-01  10.0.0.1  nc    admin@10.0.0.1:22    canary,east
nc-02  10.0.0.2  nc    admin@two.mgmt:2222  east
`)
})

it('lists them for programs', async () => {
  const { stdout } = await edgepush(['nodes', '-i', 'lab.yml', '--json', '--node', 'nc-02'], folder)
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { type: 'edgepush', format: 1, version: expect.stringMatching(/^\d/), command: 'nodes' },
    { type: 'node', name: 'nc-02', address: '10.0.0.2', role: 'nc', login: 'admin@two.mgmt:2222', groups: ['east'] },
  ])
})

const namesIn = (table: string) =>
  table
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(' ')[0])

it.each([
  [
    ['--node', 'nc-01', '--node', 'cc-01'],
    ['cc-01', 'nc-01'],
  ],
  [['-l', 'east:!canary'], ['nc-02']],
  [
    ['-l', 'nc-*'],
    ['nc-01', 'nc-02'],
  ],
])('narrows by %j', async (words, names) => {
  const { stdout } = await edgepush(['nodes', '-i', 'lab.yml', ...words], folder)
  expect(namesIn(stdout)).toEqual(names)
})

it('narrows by what the record knows of the run before', async () => {
  const state = join(folder, 'state')
  const near = GROUPED.replace('role: nc', 'role: nc, ssh: { key: ./no-such-key }')
  writeFileSync(join(folder, 'near.yml'), near)
  const list = (...words: readonly string[]) => edgepush(['nodes', '-i', 'near.yml', ...words], folder, state)
  expect((await list('-l', '@failed')).stderr).toContain('"@failed": the record has no run yet')
  const { code } = await edgepush(['release', '-i', 'near.yml', '-l', 'east:&nc-[01-09]'], folder, state)
  expect(code).toBe(77)

  expect(namesIn((await list('-l', '@failed')).stdout)).toEqual(['nc-01', 'nc-02'])
  const [run = ''] = readdirSync(join(state, 'lab/runs')).map((name) => name.replace('.ndjson', ''))
  expect(namesIn((await list('-l', `@run:${run}:failed:!canary`)).stdout)).toEqual(['nc-02'])
  expect(namesIn((await list('-l', `!@run:${run}`)).stdout)).toEqual(['cc-01'])
  const wrong = await list('-l', `@run:${run}0`)
  expect([wrong.code, wrong.stderr]).toEqual([64, expect.stringContaining(`(did you mean "@run:${run}"?)`)])
})

it('warns once of all nodes that may be spoken to with old algorithms', async () => {
  const old = GROUPED.replace('user: admin', 'user: admin, algorithms: legacy')
  writeFileSync(join(folder, 'old.yml'), old)
  expect((await edgepush(['nodes', '-i', 'old.yml'], folder)).stderr).toBe(
    'warning: old.yml: 2 of 3 nodes may be spoken to with old SSH algorithms (nc-01, nc-02)\n',
  )
})
