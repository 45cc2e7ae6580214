/** What a playbook wants verified is held against the view before any node is asked. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { refuseChecks } from '../../src/commands/stage-checks.ts'
import { loadConfiguration } from '../../src/config/configuration.ts'
import { selectStages } from '../../src/config/select.ts'
import { EXIT } from '../../src/error.ts'
import { readView } from '../../src/view/parse.ts'
import { CASE, edgepush } from './cli.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-verify-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

/** Nobody listens on the ports of the nodes. */
function write(...checks: readonly string[]): void {
  writeFileSync(
    join(folder, 'inventory.yml'),
    `cloud: lab
defaults: { role: nc, ssh: { host: 127.0.0.1, known_hosts: ./none }, options: { VNET_BRIDGE: br0, VNET_PUBINTERFACE: br0 } }
nodes:
  nc-01: { address: 10.110.5.51, ssh: { port: 1 } }
  nc-02: { address: 10.110.5.52, ssh: { port: 2 } }
`,
  )
  writeFileSync(
    join(folder, 'push.yml'),
    `name: push
inventory: ./inventory.yml
source: { file: ${join(CASE, 'view.xml')} }
stages:
  - name: all
    targets: [all]
    verify:
${checks.map((check) => `      - ${check}\n`).join('')}`,
  )
}

it('a probe of an address that no instance has is refused, with its line, and no node is asked', async () => {
  write('metadata', '{ check: probe, to: 10.9.9.9, tcp: 22, expect: pass }')
  expect(await edgepush(['push', 'push.yml'], folder)).toEqual({
    code: EXIT.badConfig,
    stdout: '',
    stderr: 'edgepush: push.yml:9:9: no instance of the view has the address 10.9.9.9\n',
  })
})

it('a window that is typed must be long enough for every check, too', async () => {
  write('metadata', '{ check: dhcp, timeout: 9s }')
  expect(await edgepush(['push', 'push.yml', '--confirm-window', '9s'], folder)).toEqual({
    code: EXIT.usage,
    stdout: '',
    stderr: 'edgepush: --confirm-window must be longer than the timeout of the check at push.yml:9:9\n',
  })
})

it('a check that the mode of the view does not have is refused, with its line', () => {
  write('metadata', 'dhcp')
  const { playbook, inventory } = loadConfiguration({ playbook: join(folder, 'push.yml'), inventory: undefined }, [])
  const stages = selectStages(
    inventory,
    playbook,
    { node: [], limit: undefined },
    { runs: () => [], run: () => undefined },
  )
  const { view } = readView(readFileSync(join(CASE, 'view.xml'), 'utf8'), 'view.xml')
  const duty = { asksFacts: false, options: [], artifacts: [], checks: [{ name: 'dhcp', shell: '' }] }
  const mode = { name: 'OTHER', duties: { nc: duty, cc: duty } }
  expect(() => refuseChecks(stages, { view, mode })).toThrow(
    expect.objectContaining({
      exitCode: EXIT.badConfig,
      message: `${folder}/push.yml:8:9: metadata is not a check of mode OTHER; it has dhcp`,
    }),
  )
})

it('a probe of an instance that runs elsewhere is told of', async () => {
  write('{ check: probe, to: 10.200.0.2, tcp: 22, expect: pass }')
  const told = 'warning: push.yml:8:9: 10.200.0.2 is on none of these nodes of stage "all": it is not probed\n'
  expect((await edgepush(['push', 'push.yml', '--node', 'nc-02'], folder)).stderr).toContain(told)
  expect((await edgepush(['push', 'push.yml', '--node', 'nc-01'], folder)).stderr).not.toContain('probed')
})
