// A wrong view, a wrong inventory, a wrong word: an error that says where, its exit code, and no node is even asked.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import { type Dump, traceOf } from './dump.ts'
import { mustPush } from './push.ts'
import { describeLab } from './with-lab.ts'

type Edit = (text: string) => string

const swap =
  (from: string | RegExp, to: string): Edit =>
  (text) =>
    text.replace(from, to)

const views: readonly (readonly [what: string, edit: Edit, message: string])[] = [
  ['is cut off', (view) => view.slice(0, 700), 'view.xml:1:700: unclosed tag: property'],
  ['is not XML', () => 'Service unavailable\n', 'view.xml:2:0: text data outside of root node.'],
  ['is an empty file', () => '', 'view.xml:1:0: document must contain a root element.'],
  [
    'is of a mode that we do not serve',
    swap('EDGE', 'VPCMIDO'),
    "view.xml: the view's mode is VPCMIDO; this version serves EDGE, MANAGED, MANAGED-NOVLAN, STATIC, SYSTEM",
  ],
  [
    'declares entities',
    (view) => `<!DOCTYPE x [<!ENTITY a "b">]>\n${view}`,
    'view.xml:1:30: a document type is not accepted',
  ],
  [
    'gives an address twice',
    swap(/<privateIp>[^<]*</g, '<privateIp>10.111.103.1<'),
    'view.xml:1 instance i-0b0b0b0b: address 10.111.103.1 is also that of instance i-0a0a0a0a',
  ],
  [
    'has an address that is none',
    swap('<privateIp>10.111.103.1<', '<privateIp>10.111.103.1000<'),
    'view.xml:1 instance i-0a0a0a0a',
  ],
]

const inventories: readonly (readonly [what: string, edit: Edit, message: string])[] = [
  [
    'has a key that is misspelt',
    swap('role: nc', 'rolle: nc'),
    'inventory.yml:3:3: defaults: unknown key "rolle" (did you mean "role"?)',
  ],
  [
    'has an option that no mode has',
    swap('VNET_BRIDGE', 'VNET_BRIGDE'),
    'inventory.yml:5:27: VNET_BRIGDE is not an option of this mode',
  ],
  [
    'has an option that does not fit',
    swap('VNET_PRIVINTERFACE', 'NC_PROXY'),
    'inventory.yml:5:70: NC_PROXY is "br0", it must be Y or N',
  ],
  [
    'has an interface of a name that none can have',
    swap('VNET_BRIDGE: "br0"', 'VNET_BRIDGE: "br 0"'),
    'VNET_BRIDGE is "br 0", it must be the name of an interface',
  ],
  ['is not YAML', swap('cloud: lab', 'cloud: [lab'), 'inventory.yml:2:1:'],
  [
    'has a node twice',
    swap('10.111.5.52', '10.111.5.51'),
    'inventory.yml:8:21: nodes.nc-02.address: 10.111.5.51 is already the address of "nc-01"',
  ],
  ['does not say what the nodes are', () => 'cloud: lab\n', 'inventory.yml:1:1: key "nodes" is missing'],
]

const playbooks: readonly (readonly [what: string, edit: Edit, code: number, message: string])[] = [
  [
    'has a key that is misspelt',
    swap('stages', 'stagse'),
    78,
    'playbook.yml:10:1: unknown key "stagse" (did you mean "stages"?)',
  ],
  [
    'names an inventory that is not there',
    swap('./inventory.yml', './nowhere.yml'),
    66,
    'nowhere.yml: no such file (named by playbook.yml:2:12)',
  ],
  [
    'names a cloud controller that does not answer',
    swap('host: 10.111.5.10', 'host: 10.111.5.99'),
    69,
    'ssh -p 22 root@10.111.5.99 true',
  ],
  [
    'names a file that the cloud controller does not have',
    swap('global_network_info', 'other'),
    66,
    'there is no file 10.111.5.10:/var/run/eucalyptus/other.xml',
  ],
  [
    'does not know the key of the cloud controller',
    swap(/known_hosts: .*/, 'known_hosts: ./no_hosts'),
    77,
    'ssh-keyscan -p 22 -t ed25519 10.111.5.10 >> ',
  ],
]

const words: readonly (readonly [argv: readonly string[], code: number, message: string])[] = [
  [
    ['push', 'push.yml', '--node', 'nc-77'],
    64,
    '--node: no node is named "nc-77"\n  edgepush nodes -i inventory.yml lists the names',
  ],
  [['push', 'push.yml', '--limit', 'nc-9*'], 64, '--limit: "nc-9*" matches no node or group'],
  [['push', 'push.yml', '--frob'], 64, "unknown option '--frob'"],
  [['push'], 64, 'name an inventory: -i FILE'],
  [['push', 'gone.yml'], 66, 'gone.yml: no such file'],
  [['push', 'push.yml', '--view', 'gone.xml'], 66, 'there is no file gone.xml'],
  [['push', '-i', 'inventory.yml'], 64, 'name one: --view FILE, or give the playbook a source'],
]

describeLab('nothing is done on any node when', () => {
  let lab: Lab
  let sound: string
  let untouched: readonly Dump[]
  const traces = () => Promise.all(lab.nodes.map(traceOf))

  beforeAll(async () => {
    lab = await startLab({ nodes: 2 })
    await mustPush(lab)
    untouched = await traces()
    sound = lab.view(lab.world())
    await lab.publish({ instances: {}, groups: {} })
  })
  afterEach(async () => expect(await traces()).toEqual(untouched))
  afterAll(() => lab?.stop())

  async function edited(name: string, source: string, edit: Edit): Promise<string> {
    const text = edit(source)
    expect(text).not.toBe(source)
    await writeFile(join(lab.files.directory, name), text)
    return name
  }

  async function expectRefused(argv: readonly string[], code: number, message: string): Promise<void> {
    const finished = await lab.edgepush(argv)
    expect(finished.stderr).toContain(message)
    expect(finished.stdout).toBe('')
    expect(finished.code).toBe(code)
  }

  it.each(views)('the view %s', async (_, edit, message) => {
    await expectRefused(['push', 'push.yml', '--view', await edited('view.xml', sound, edit)], 65, message)
  })

  it('the view on the cloud controller is cut off', async () => {
    await lab.clc.run('cat > /var/run/eucalyptus/view.xml', { stdin: sound.slice(0, 700) })
    const playbook = await readFile(lab.files.playbook, 'utf8')
    const argv = ['push', await edited('playbook.yml', playbook, swap('global_network_info', 'view'))]
    await expectRefused(argv, 65, '10.111.5.10:/var/run/eucalyptus/view.xml:1:700: unclosed tag: property')
  })

  it.each(inventories)('the inventory %s', async (_, edit, message) => {
    const text = await readFile(lab.files.inventory, 'utf8')
    const file = await edited('other-inventory.yml', text, edit)
    await expectRefused(['push', 'push.yml', '-i', file], 78, message)
  })

  it.each(playbooks)('the playbook %s', async (_, edit, code, message) => {
    await expectRefused(
      ['push', await edited('playbook.yml', await readFile(lab.files.playbook, 'utf8'), edit)],
      code,
      message,
    )
  })

  it.each(words)('it is called as %j', async (argv, code, message) => {
    await expectRefused(argv, code, message)
  })
})
