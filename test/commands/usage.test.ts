/** A user's mistake is told in a sentence with its exit code; a stack is only for mistakes of ours. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { CASE, edgepush } from './cli.ts'

const INVENTORY = join(CASE, 'inventory.yml')
const VIEW = join(CASE, 'view.xml')

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgepush-usage-'))
  mkdirSync(join(folder, 'folder'))
  const files = {
    'not.yml': 'nodes: [',
    'not.xml': '<network-data>',
    'cut.xml': '<network-data><configuration>',
    'latin1.xml': Buffer.from([0x3c, 0xe4, 0x3e]),
    'empty.yml': '',
    'wrong.yml': 'cloud: lab\nnodes:\n  nc-01: { adress: 10.0.0.1 }\n',
    'option.yml':
      'cloud: lab\ndefaults: { role: nc }\nnodes:\n  nc-01: { address: 10.110.5.51, options: { VNET_BRIGDE: br0 } }\n',
    'bare.yml': 'cloud: lab\ndefaults: { role: nc }\nnodes:\n  nc-01: { address: 10.110.5.51 }\n',
    'push.yml': 'name: push\ninventory: gone.yml\nstages: [{ name: all, targets: [all] }]\n',
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
})

afterAll(() => rmSync(folder, { recursive: true }))

it.each<[string, readonly string[], number, string | RegExp]>([
  ['no command', [], 64, 'Usage: edgepush'],
  ['an unknown command', ['frob'], 64, "unknown command 'frob'"],
  ['a misspelt command', ['pussh'], 64, '(Did you mean push?)'],
  ['a misspelt option', ['nodes', '--lmit', 'x'], 64, '(Did you mean --limit?)'],
  ['an option of another command', ['nodes', '--out', 'x'], 64, "unknown option '--out'"],
  ['an option without its value', ['nodes', '-i'], 64, 'argument missing'],
  ['too many words', ['nodes', 'one.yml', 'two.yml'], 64, 'too many arguments'],
  ['a number that is none', ['push', '-f', 'many'], 64, 'It must be a whole number from 1.'],
  ['a number too small', ['render', '-f', '0'], 64, 'It must be a whole number from 1.'],
  ['no inventory, nor a place where one is', ['nodes'], 64, 'name an inventory: -i FILE'],
  ['no view', ['render', '-i', INVENTORY], 64, 'name one: --view FILE'],
  ['a node that is not there', ['nodes', '-i', INVENTORY, '--node', 'nc-110-50'], 64, 'did you mean "nc-110-51"'],
  ['a limit that matches nothing', ['nodes', '-i', INVENTORY, '-l', 'x*'], 64, '"x*" matches no node or group'],
  ['an inventory that is not there', ['nodes', '-i', 'gone.yml'], 66, 'gone.yml: no such file (named by --inventory)'],
  ['an inventory that is a folder', ['nodes', '-i', 'folder'], 66, 'folder: is a folder'],
  ['a playbook that is not there', ['push', 'gone.yml'], 66, 'gone.yml: no such file'],
  [
    'a playbook whose inventory is not there',
    ['push', 'push.yml'],
    66,
    /gone\.yml: no such file \(named by push\.yml:2:12\)/,
  ],
  ['an inventory that is no YAML', ['nodes', '-i', 'not.yml'], 78, 'not.yml:1:'],
  ['an empty inventory', ['nodes', '-i', 'empty.yml'], 78, 'empty.yml:1:1: '],
  ['a misspelt key', ['nodes', '-i', 'wrong.yml'], 78, /wrong\.yml:3:\d+: .*did you mean "address"/],
  [
    'a misspelt option of a mode',
    ['render', '-i', 'option.yml', '--view', VIEW],
    78,
    /option\.yml:4:\d+: VNET_BRIGDE is not an option/,
  ],
  ['a view that is not there', ['render', '-i', INVENTORY, '--view', 'gone.xml'], 66, 'there is no file gone.xml'],
  [
    'a view that is a folder',
    ['render', '-i', INVENTORY, '--view', 'folder'],
    66,
    'folder is a folder, and without config-cc',
  ],
  ['a view that is another file', ['render', '-i', INVENTORY, '--view', INVENTORY], 65, 'not a usable view'],
  ['a view that is cut short', ['push', '-i', INVENTORY, '--view', 'cut.xml'], 65, 'cut.xml:1:'],
  ['a view that is no text', ['push', '-i', INVENTORY, '--view', 'latin1.xml'], 65, 'latin1.xml is not UTF-8'],
  [
    'an output that is a file',
    ['render', '-i', INVENTORY, '--view', VIEW, '--out', 'not.xml'],
    77,
    'cannot write to not.xml',
  ],
  [
    'an output below a file',
    ['render', '-i', INVENTORY, '--view', VIEW, '--out', 'not.xml/x'],
    77,
    'cannot write to not.xml/x',
  ],
])('%s', async (_, args, code, says) => {
  const ended = await edgepush(args, folder)
  expect(ended).toMatchObject({
    code,
    stdout: '',
    stderr: expect.stringMatching(says instanceof RegExp ? says : literally(says)),
  })
  expect(ended.stderr).not.toMatch(/\n\s+at |this is a bug|node:internal/)
})

it('a node without facts and without a key to ask it is told, the others are rendered', async () => {
  const both = join(folder, 'both.yml')
  const facts = 'facts: { bridge_mac: "02:00:00:00:00:51", bridge_addresses: [10.110.5.51/16] }'
  const options = 'options: { VNET_BRIDGE: br0, VNET_PUBINTERFACE: br0 }'
  const nodes = `nc-01: { address: 10.110.5.51, ${facts} }\n  nc-02: { address: 10.110.5.52 }`
  writeFileSync(both, `cloud: lab\ndefaults: { role: nc, ${options} }\nnodes:\n  ${nodes}\n`)
  const ended = await edgepush(['render', '-i', both, '--view', VIEW, '--json'], folder)
  expect(ended.code).toBe(77)
  expect(ended.stderr).toMatch(/^nc-02: no key to log in to nc-02 with.*\n {2}name a private key/m)
  expect(
    ended.stdout
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line).node),
  ).toEqual(['nc-01'])
})

function literally(text: string): RegExp {
  return new RegExp(text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&'))
}
