import { homedir } from 'node:os'
import { chdir, cwd } from 'node:process'
import { expect, onTestFinished, test } from 'vitest'
import { loadConfiguration } from '../../src/config/configuration.ts'
import { loadPlaybook } from '../../src/config/playbook.ts'
import { EXIT } from '../../src/error.ts'
import { refusalOf, writeFiles } from './files.ts'

const HEAD = 'name: push\ninventory: ../inventories/lab.yml\n'
const ALL = 'stages: [{ name: all, targets: [all] }]\n'
const INVENTORY = 'cloud: lab\nnodes: { n: { address: 10.1.1.1, role: nc } }\n'

/** Files are named as a person in the folder would name them. */
function enter(files: Readonly<Record<string, string>>): string {
  const before = cwd()
  const folder = writeFiles(files)
  chdir(folder)
  onTestFinished(() => chdir(before))
  return folder
}

test('resolves a playbook that says everything that is honoured', () => {
  const folder = enter({
    'playbooks/push.yml': `${HEAD}source:
  { ssh: { host: clc-01, file: /var/run/view.xml, user: eve, become: sudo, port: 23, key: k, known_hosts: ~/kh, jump: ops@bastion }, mode: EDGE, lenient: true, max_age: 10m }
stages:
  - { name: canary, targets: [canary, "!nc-05"], pause: 30s, parallel: 1, batches: [1, 5, 20%], commit: each, failures: 10% }
  - name: rest
    targets: [all]
    window: 30s
    verify:
      - { check: reconnect, timeout: 20s }
      - metadata
      - { check: dhcp, timeout: 6s }
      - { check: probe, to: 10.111.200.1, tcp: 22, expect: pass }
      - { check: probe, to: 10.111.200.1, tcp: 23, expect: drop, timeout: 1s }
      - { check: probe, to: 10.111.200.1, icmp: echo, expect: pass }
`,
  })
  const probe = { kind: 'probe', to: '10.111.200.1' }
  const { document, ...playbook } = loadPlaybook('playbooks/push.yml', '--playbook')
  expect(document?.file).toBe('playbooks/push.yml')
  expect(playbook).toEqual({
    name: 'push',
    inventory: { file: 'inventories/lab.yml', namedBy: 'playbooks/push.yml:2:12' },
    source: {
      kind: 'ssh',
      file: '/var/run/view.xml',
      target: {
        name: 'clc-01',
        host: 'clc-01',
        port: 23,
        user: 'eve',
        become: 'sudo',
        key: `${folder}/playbooks/k`,
        knownHosts: [`${homedir()}/kh`],
        connectTimeout: 10_000,
        jump: ['ops@bastion'],
      },
    },
    reading: { lenient: true, mode: { name: 'EDGE', saidBy: 'playbooks/push.yml:4:140' } },
    maxAge: 600_000,
    partial: false,
    limits: {},
    stages: [
      {
        name: 'canary',
        targets: ['canary', '!nc-05'],
        parallel: 1,
        batches: [{ nodes: 1 }, { nodes: 5 }, { percent: 20 }],
        commit: 'each',
        failures: { percent: 10 },
        pause: 30_000,
        window: 60_000,
        checks: [],
        where: 'playbooks/push.yml:6:21',
      },
      {
        name: 'rest',
        targets: ['all'],
        parallel: 32,
        batches: [],
        commit: 'together',
        pause: 0,
        window: 30_000,
        reconnect: 20_000,
        checks: [
          { kind: 'node', name: 'metadata', timeout: 4_000, where: 'playbooks/push.yml:12:9' },
          { kind: 'node', name: 'dhcp', timeout: 6_000, where: 'playbooks/push.yml:13:9' },
          { ...probe, packet: 22, expect: 'pass', timeout: 4_000, where: 'playbooks/push.yml:14:9' },
          { ...probe, packet: 23, expect: 'drop', timeout: 1_000, where: 'playbooks/push.yml:15:9' },
          { ...probe, packet: 'echo', expect: 'pass', timeout: 4_000, where: 'playbooks/push.yml:16:9' },
        ],
        where: 'playbooks/push.yml:8:5',
      },
    ],
  })
})

test.each([
  ['./view.xml', 'playbooks/view.xml'],
  ['/srv/view.xml', '/srv/view.xml'],
  ['~/view.xml', `${homedir()}/view.xml`],
])('finds the view %s', (written, file) => {
  enter({ 'playbooks/push.yml': `${HEAD}source: { file: ${written} }\n${ALL}` })
  expect(loadPlaybook('playbooks/push.yml', '--playbook').source).toEqual({ kind: 'file', file })
})

test.each([
  ['1s', 1_000],
  ['10m', 600_000],
  ['99h', 356_400_000],
])('pauses for %s', (written, pause) => {
  enter({ 'push.yml': `${HEAD}stages: [{ name: all, targets: [all], pause: ${written} }]\n` })
  expect(loadPlaybook('push.yml', '--playbook').stages[0]?.pause).toBe(pause)
})

const A_PROBE = 'a probe is such as { check: probe, to: 10.111.200.1, tcp: 22, expect: pass }'
const DURATION = 'must be a duration such as 30s, 10m or 1h (up to 9999s, 9999m, 99h)'

test.each<[string, string, ...string[]]>([
  [
    'durations that are none',
    `stages: [{ name: a, targets: [all], pause: 30, window: 0s }, { name: b, targets: [all], pause: 100h }]\n`,
    `3:44: stages[0].pause: ${DURATION}, not the number 30`,
    `3:56: stages[0].window: ${DURATION}, not "0s"`,
    `3:96: stages[1].pause: ${DURATION}, not "100h"`,
  ],
  [
    'a source that is neither',
    `source: { max_age: 1h }\n${ALL}`,
    '3:1: source: must have either the key ssh or the key file',
  ],
  [
    'a source that is both',
    `source: { file: a, ssh: { host: b, file: /c } }\n${ALL}`,
    '3:1: source: must have either the key ssh or the key file',
  ],
  [
    'a view at no fixed place',
    `source: { ssh: { host: b, file: c } }\n${ALL}`,
    '3:33: source.ssh.file: must be the absolute path of the view on that host, not "c"',
  ],
  [
    'two stages of one name',
    'stages:\n  - { name: a, targets: [all] }\n  - { name: a, targets: [all] }\n',
    '5:13: stages[1].name: "a" is already the name of a stage',
  ],
  [
    'numbers out of bounds, also of what is not enforced',
    'guard: { changed: 101% }\nstages: [{ name: a, targets: [all], parallel: 0, failures: -1, verify: [conect], batches: [0, 1%], commit: now }]\n',
    '3:19: guard.changed: must be a share such as 50%, not "101%"',
    '4:47: stages[0].parallel: must be the number of nodes at a time, 1 or more, not the number 0',
    '4:60: stages[0].failures: must be a number of nodes or a share such as 10%, not the number -1',
    '4:73: stages[0].verify[0]: must be one of reconnect, metadata, dhcp, or a map such as { check: dhcp, timeout: 5s }, not "conect"',
    '4:92: stages[0].batches[0]: must be a number of nodes, 1 or more, or a share of the stage such as 20%, not the number 0',
    '4:108: stages[0].commit: must be one of together (no node begins before all of its batch are ready) and each, not "now"',
  ],
  [
    'a batch of nobody',
    'stages: [{ name: a, targets: [all], batches: [1, 0%] }]\n',
    '3:50: stages[0].batches[1]: must be at least 1%',
  ],
  [
    'a window that is no time to find out anything',
    'stages: [{ name: a, targets: [all], window: 4s }]\n',
    '3:45: stages[0].window: must be at least 5s',
  ],
  [
    'checks that are none',
    `stages:
  - { name: a, targets: [all], verify: [{ timeout: 1s }, { check: conect }, { check: dhcp, timeuot: 1s }, probe] }
`,
    '4:41: stages[0].verify[0]: key "check" is missing: one of reconnect, metadata, dhcp, probe',
    '4:67: stages[0].verify[1].check: must be one of reconnect, metadata, dhcp, probe, not "conect"',
    '4:92: stages[0].verify[2]: unknown key "timeuot" (did you mean "timeout"?)',
    '4:107: stages[0].verify[3]: must be one of reconnect, metadata, dhcp, or a map such as { check: dhcp, timeout: 5s }, not "probe"',
  ],
  [
    'checks that say too little, too much, or the same again',
    `stages:
  - name: a
    targets: [all]
    verify:
      - { check: probe, tcp: 22 }
      - { check: metadata, tcp: 22 }
      - metadata
      - { check: probe, to: 10.1.1.1, tcp: 22, expect: pass }
      - { check: probe, to: 10.1.1.1, tcp: 22, expect: drop }
      - { check: probe, to: 10.1.1.1, icmp: echo, expect: drop }
      - { check: probe, to: 10.1.1.1, icmp: echo, expect: pass }
      - { check: probe, to: 10.1.1.2, icmp: echo, tcp: 22, expect: pass }
`,
    ...['to', 'expect'].map((key) => `7:9: stages[0].verify[0]: key "${key}" is missing: ${A_PROBE}`),
    '8:28: stages[0].verify[1]: key "tcp" belongs to a probe, not to metadata',
    '9:9: stages[0].verify[2]: metadata is already verified in this stage',
    '11:9: stages[0].verify[4]: the probe of 10.1.1.1 port 22 is already verified in this stage',
    '13:9: stages[0].verify[6]: the probe of 10.1.1.1 by ping is already verified in this stage',
    '14:9: stages[0].verify[7]: is of tcp or of icmp, not of both',
  ],
  [
    'probes of what is no address or port',
    `stages:
  - { name: a, targets: [all], verify: [{ check: probe, to: 10.1.1, tcp: 0, expect: yes }] }
`,
    '4:61: stages[0].verify[0].to: must be the private or public address of an instance, not "10.1.1"',
    '4:74: stages[0].verify[0].tcp: must be a port between 1 and 65535, not the number 0',
    '4:85: stages[0].verify[0].expect: must be one of pass, drop, not "yes"',
  ],
  [
    'timeouts that no window would wait for',
    `stages:
  - { name: a, targets: [all], window: 10s, verify: [{ check: reconnect, timeout: 10s }, { check: dhcp, timeout: 9s }] }
  - { name: b, targets: [all], verify: [{ check: dhcp, timeout: 2m }] }
`,
    '4:83: stages[0].verify[0].timeout: must be shorter than the window, which is 10s',
    '5:65: stages[1].verify[0].timeout: must be shorter than the window, which is 60s',
  ],
  [
    'no stages',
    'stages: []\n',
    '3:1: stages: must be a list of at least one stage such as { name: all, targets: [all] }, not an empty list',
  ],
])('refuses %s', (_, text, ...lines) => {
  const folder = enter({ 'push.yml': `${HEAD}${text}` })
  const message = lines.map((line) => `push.yml:${line}`).join('\n')
  expect(refusalOf(folder, () => loadPlaybook('push.yml', '--playbook'))).toMatchObject({
    exitCode: EXIT.badConfig,
    message,
  })
})

test('an inventory may have some of the nodes on purpose', () => {
  enter({ 'some.yml': `${HEAD}guard: { nodes: some }\n${ALL}`, 'all.yml': `${HEAD}guard: { nodes: all }\n${ALL}` })
  const some = loadPlaybook('some.yml', '--playbook')
  expect([some.partial, loadPlaybook('all.yml', '--playbook').partial]).toEqual([true, false])
})

const FILES = {
  'playbooks/push.yml': HEAD + ALL,
  'inventories/lab.yml': INVENTORY,
  'other.yml': INVENTORY.replace('lab', 'other'),
}
const PLACES = ['./nowhere.yml', './playbooks/push.yml'] as const

test.each([
  ['a playbook, with its inventory', 'playbooks/push.yml', undefined, 'push', 'lab'],
  ['a playbook, with another inventory', 'playbooks/push.yml', 'other.yml', 'push', 'other'],
  ['an inventory, and all its nodes', undefined, 'other.yml', 'all', 'other'],
  ['the first default there is', undefined, undefined, 'push', 'lab'],
])('loads %s', (_, playbook, inventory, name, cloud) => {
  enter(FILES)
  const configuration = loadConfiguration({ playbook, inventory }, PLACES)
  expect([configuration.playbook.name, configuration.inventory.cloud]).toEqual([name, cloud])
})

test('an inventory alone implies one stage of all nodes and leaves the source open', () => {
  enter(FILES)
  const { playbook } = loadConfiguration({ playbook: undefined, inventory: 'other.yml' }, PLACES)
  expect(playbook).toEqual({
    name: 'all',
    document: undefined,
    inventory: { file: 'other.yml', namedBy: '--inventory' },
    source: undefined,
    reading: { lenient: false, mode: undefined },
    maxAge: undefined,
    partial: false,
    limits: {},
    stages: [
      {
        name: 'all',
        targets: ['all'],
        parallel: 32,
        batches: [],
        commit: 'together',
        pause: 0,
        window: 60_000,
        checks: [],
        where: 'other.yml',
      },
    ],
  })
})

test('names the place that asks for a missing inventory', () => {
  const folder = enter({ 'playbooks/push.yml': HEAD + ALL })
  const load = () => loadConfiguration({ playbook: 'playbooks/push.yml', inventory: undefined }, PLACES)
  expect(refusalOf(folder, load)).toMatchObject({
    exitCode: EXIT.noInput,
    message: 'inventories/lab.yml: no such file (named by playbooks/push.yml:2:12)',
  })
})

test('says what to type when nothing is named and nothing is there', () => {
  const folder = enter({ 'other.yml': INVENTORY })
  expect(refusalOf(folder, () => loadConfiguration({ playbook: undefined, inventory: undefined }, PLACES))).toEqual({
    exitCode: EXIT.usage,
    message: 'no playbook and no inventory is named, and there is no ./nowhere.yml and no ./playbooks/push.yml',
    next: 'name an inventory: -i FILE',
  })
})
