/** What can be told without a node; what nodes say is in test/lab/sudo.test.ts. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { edgepush } from './cli.ts'

const INVENTORY = `cloud: lab
defaults: { role: nc, ssh: { key: no-such-key } }
groups:
  east: { nodes: [nc-01, nc-02], ssh: { user: push, become: sudo } }
nodes:
  nc-01: { address: 127.7.13.1 }
  nc-02: { address: 127.7.13.2 }
  nc-03: { address: 127.7.13.3, ssh: { user: OTHER } }
  nc-04: { address: 127.7.13.4 }
`

const LINE = 'ALL=(root) NOPASSWD: /bin/sh -c read -r size && eval "$(head -c "$size")"'

let folder: string
const doctor = (...args: readonly string[]) => edgepush(['doctor', '-i', 'lab.yml', ...args], folder)

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-doctor-'))
  writeFileSync(join(folder, 'lab.yml'), INVENTORY)
})

afterAll(() => rmSync(folder, { recursive: true }))

it('prints a sudoers line for each user who is not root, asking nobody', async () => {
  expect(await doctor('--sudoers')).toEqual({ code: 0, stdout: `push ${LINE}\n"OTHER" ${LINE}\n`, stderr: '' })
  expect(await doctor('--sudoers', '--node', 'nc-02')).toMatchObject({ stdout: `push ${LINE}\n` })
})

it('has no such line for root', async () => {
  const { code, stdout, stderr } = await doctor('--sudoers', '--node', 'nc-04')
  expect([code, stdout]).toEqual([64, ''])
  expect(stderr).toContain('logged in to as root, which needs no sudoers line\n  ssh: { user: edgepush, become: sudo }')
})

it('tells every node that could not be asked, with what to type', async () => {
  const { code, stdout, stderr } = await doctor()
  expect([code, stdout]).toEqual([77, ''])
  for (const node of ['nc-01', 'nc-02', 'nc-03', 'nc-04']) {
    expect(stderr).toContain(`${node}: cannot read the private key ${folder}/no-such-key: it does not exist\n  ls -l `)
  }
})
