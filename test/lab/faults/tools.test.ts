// A node for each thing that is not as it should be before a push begins: what the push says, and what the node holds then.

import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../../lab/make-lab.ts'
import type { LabNode } from '../../../lab/make-node.ts'
import { startLab } from '../../../lab/start-lab.ts'
import type { World } from '../../../lab/world.ts'
import type { Status } from '../../../src/run/outcome.ts'
import { type Dump, dumpAll } from '../dump.ts'
import { mustPush, type Pushed, push } from '../push.ts'
import { breakTool, mendTools } from '../sabotage.ts'
import { describeLab } from '../with-lab.ts'
import { toLegacy } from './stand-ins.ts'

interface Fault {
  readonly what: string
  readonly make: (node: LabNode) => Promise<unknown>
  readonly undo: string | ((node: LabNode) => Promise<void>)
  readonly status: Status
  /** Of a node that is refused. */
  readonly reason?: string
  /** Of a node that is served. */
  readonly notes?: readonly string[]
}

const lockFor = (seconds: number) => `
  (setsid flock /run/xtables.lock sleep ${seconds} < /dev/null > /dev/null 2>&1 3>&- 9>&- & echo $! > /tmp/holder)
  until ! flock -n /run/xtables.lock true; do sleep 0.01; done`
const takeLock = lockFor(600)

/** So that tables which are empty and tables which were never there look alike. */
const tables = `
for table in filter nat raw; do iptables -t $table -N x; iptables -t $table -X x; done
for table in filter nat; do ebtables -t $table -N x; ebtables -t $table -X x; done`

const state = '/var/lib/edgepush'
const rolledBack = 'rolled-back' as const
const refused = 'refused' as const
const converged = 'converged' as const

const faults: readonly Fault[] = [
  {
    what: 'somebody has the lock of xtables, and never lets go of it',
    make: (node) => node.run(toLegacy + takeLock),
    undo: 'kill -- -$(cat /tmp/holder)',
    status: refused,
    reason: 'Another app is currently holding the xtables lock. Stopped waiting after 20s.',
  },
  {
    what: 'somebody takes the lock of xtables while it commits, and never lets go of it',
    make: async (node) => {
      await node.run(`${toLegacy}\n${tables}`)
      await breakTool(node, 'iptables-restore', { does: takeLock })
    },
    undo: async (node) => {
      await node.run('kill -- -$(cat /tmp/holder)')
      await mendTools(node)
    },
    status: rolledBack,
    reason: 'Stopped waiting after 20s',
  },
  {
    what: 'somebody has the lock of xtables for some seconds',
    make: (node) => node.run(toLegacy + lockFor(5)),
    undo: ':',
    status: converged,
  },
  {
    what: 'the lock of xtables cannot be opened',
    make: (node) => node.run(`${toLegacy}; mkdir /run/xtables.lock`),
    undo: 'rmdir /run/xtables.lock',
    status: refused,
    reason: "Fatal: can't open lock file /run/xtables.lock: Is a directory",
  },
  {
    what: 'nft made a table that iptables cannot read',
    make: (node) =>
      node.run(
        `nft 'add table ip filter; add chain ip filter own; add rule ip filter own ct state vmap { new : accept }'`,
      ),
    undo: 'nft delete table ip filter',
    status: refused,
    reason: 'cannot read a table that nft made',
  },
  {
    what: 'chains of ours are in the tables that the iptables in use does not show',
    make: (node) => node.run('iptables-legacy -N sg-00000000 && iptables-legacy -A FORWARD -j sg-00000000'),
    undo: 'iptables-legacy -F && iptables-legacy -X',
    status: refused,
    reason: 'but there are chains of ours that only iptables-legacy shows, and both filter: make it the one in use',
  },
  {
    what: 'other people have rules in the tables that the iptables in use does not show',
    make: (node) => node.run('iptables-legacy -A FORWARD -s 203.0.113.1 -j DROP'),
    undo: ':',
    status: converged,
  },
  {
    what: 'nothing can be rehearsed',
    make: (node) =>
      node.run(`printf '#!/bin/sh\\necho "unshare failed: No space left on device" >&2; exit 1\\n' > /tmp/unshare
        chmod +x /tmp/unshare && mount --bind /tmp/unshare /usr/bin/unshare`),
    undo: 'umount /usr/bin/unshare',
    status: refused,
    reason: 'the rehearsal failed: unshare failed: No space left on device',
  },
  {
    what: 'nothing on its disks may be executed',
    make: (node) =>
      node.run(`mkdir ${state} && mount -t tmpfs -o noexec tmpfs ${state} && mount -o remount,noexec /tmp
      mount -o remount,noexec /run`),
    undo: ':',
    status: converged,
  },
  {
    what: 'its disk is read-only after errors',
    make: (node) => node.run(`mkdir ${state} && mount -t tmpfs -o ro tmpfs ${state}`),
    undo: `umount ${state}`,
    status: refused,
    reason: '/var/lib/edgepush cannot be written',
  },
  {
    what: 'its public interface is down',
    make: (node) => node.run('ip link add pub0 type bridge'),
    undo: ':',
    status: converged,
    notes: ['the interface pub0 is down: nobody reaches the elastic addresses on it'],
  },
  {
    what: 'its arping is the other one',
    make: (node) =>
      node.run(`printf '#!/bin/sh\\n[ "$1" = -V ] || echo "$*" >> /tmp/announced\\necho "ARPing 2.23"\\n' > /tmp/arping
        chmod +x /tmp/arping && mount --bind /tmp/arping "$(readlink -f "$(command -v arping)")"`),
    undo: ':',
    status: converged,
  },
  {
    what: 'another machine has its elastic IP already',
    make: async () => undefined,
    undo: ':',
    status: converged,
  },
  {
    what: 'a rule stands where ours will be, and lets through',
    make: (node) => node.run('iptables -A FORWARD -s 203.0.113.0/24 -j ACCEPT'),
    undo: ':',
    status: converged,
  },
]

const nameOf = (index: number) => `nc-${String(index + 1).padStart(2, '0')}`
const idOf = (index: number) => `i-000000${index + 10}`
const named = (what: string) => faults.findIndex((fault) => fault.what === what)

const world: World = {
  instances: Object.fromEntries(
    faults.map((_, index) => [idOf(index), { node: nameOf(index), groups: ['sg-aaaaaaaa'], public: true }]),
  ),
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] },
}

describeLab('a push to a node where', () => {
  let lab: Lab
  let before: Readonly<Record<string, Dump>>
  let after: Readonly<Record<string, Dump>>
  let pushed: Pushed
  const twin = () => lab.instance(idOf(named('another machine has its elastic IP already'))).publicAddress ?? ''

  beforeAll(async () => {
    lab = await startLab({ nodes: faults.length, world })
    const inventory = await readFile(lab.files.inventory, 'utf8')
    const down = nameOf(named('its public interface is down'))
    const line = new RegExp(`(  ${down}: .*) }$`, 'm')
    await writeFile(lab.files.inventory, inventory.replace(line, '$1, options: { VNET_PUBINTERFACE: pub0 } }'))
    await lab.clc.run(`ip address add ${twin()}/32 dev eth0`)
    expect(await lab.outside.ping(twin())).toMatchObject({ reached: true })
    expect(await lab.router.run(`ip neigh show ${twin()}`)).toContain(await macOf(lab.clc))
    await Promise.all(faults.map(({ make }, index) => make(lab.node(nameOf(index)))))
    before = await dumpAll(lab)
    pushed = await push(lab)
    after = await dumpAll(lab)
  })
  afterAll(() => lab?.stop())

  const numbered = faults.map((fault, index) => ({ ...fault, node: nameOf(index) }))

  it.each(numbered.filter(({ status }) => status === refused))('$what: refused, untouched', ({ node, reason }) => {
    expect(pushed.outcomes[node]).toMatchObject({ status: refused, reason: expect.stringContaining(reason ?? '') })
    expect(after[node]).toEqual(before[node])
  })

  it.each(numbered.filter(({ status }) => status === rolledBack))('$what: goes back', ({ node, reason }) => {
    expect(pushed.outcomes[node]).toMatchObject({ status: rolledBack, reason: expect.stringContaining(reason ?? '') })
    expect(after[node]).toEqual(before[node])
  })

  it.each(numbered.filter(({ status }) => status === converged))('$what: served', ({ node, notes = [] }) => {
    expect(pushed.outcomes[node]).toMatchObject({ status: converged, notes })
    expect(after[node]?.iptables).toContain('-A sg-aaaaaaaa -p tcp -m tcp --dport 22 -j ACCEPT')
  })

  it('announces elastic IPs in the words of the arping that is there', async () => {
    const index = named('its arping is the other one')
    const address = lab.instance(idOf(index)).publicAddress
    const announced = 'until [ "$(wc -l < /tmp/announced)" = 3 ]; do sleep 0.01; done; cat /tmp/announced'
    expect((await lab.node(nameOf(index)).run(announced)).split('\n')[0]).toBe(
      `-q -c 1 -w 1 -P -U -i br0 -S ${address} ${address}`,
    )
  })

  it('takes over an elastic IP that another machine answers for: the last who announces it has it', async () => {
    const node = lab.node(nameOf(named('another machine has its elastic IP already')))
    await lab.router.run(`until ip neigh show ${twin()} | grep -q ${node.bridgeMac}; do sleep 0.01; done`)
  })

  it('puts our rules before one that lets through, and says so of one that is put before ours later', async () => {
    const name = nameOf(named('a rule stands where ours will be, and lets through'))
    await lab.node(name).run('iptables -I FORWARD 1 -s 203.0.113.9 -j ACCEPT; iptables -F EUCA_FILTER_FWD')
    expect((await push(lab, ['--node', name])).outcomes[name]).toMatchObject({
      status: converged,
      notes: [
        'the rule -A FORWARD -s 203.0.113.9/32 -j ACCEPT stands before ours: on what it lets through, no group decides',
      ],
    })
  })

  it('succeeds when the cause is gone', async () => {
    const others = numbered.filter(({ status }) => status !== converged)
    await Promise.all(
      others.map(({ node, undo }) => (typeof undo === 'string' ? lab.node(node).run(undo) : undo(lab.node(node)))),
    )
    expect(new Set(Object.values(await mustPush(lab)))).toEqual(new Set([converged, 'unchanged']))
  })
})

async function macOf(station: { run(command: string): Promise<string> }): Promise<string> {
  return (await station.run('cat /sys/class/net/eth0/address')).trim()
}
