// A node for each thing that is not as it should be before a push begins: what the push says, and what the node holds then.

import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../../lab/make-lab.ts'
import { startLab } from '../../../lab/start-lab.ts'
import type { World } from '../../../lab/world.ts'
import { type Dump, dumpAll } from '../dump.ts'
import { mustPush, type Pushed, push } from '../push.ts'
import { describeLab } from '../with-lab.ts'
import { converged, toolFaults as faults, refused, rolledBack } from './tool-faults.ts'

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
    pushed = await push(lab, [], { timeout: 120_000 })
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
