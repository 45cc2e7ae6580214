// A controller and a node over the life of a group: it appears, changes and disappears while others go on; what is not
// ours stays; what is wrong leaves the host as it was; what is taken back is gone.

import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabMode } from '../../lab/plan-managed.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { expectPackets, idOf, machineOf } from '../lab/packets.ts'
import { all, mustPush, push } from '../lab/push.ts'
import { describeLab } from '../lab/with-lab.ts'

const FIRST: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-11111111'], public: true },
    [idOf('c')]: { node: 'nc-01', groups: ['sg-11111111'] },
  },
  groups: { 'sg-11111111': ['tcp 22 from anywhere'], 'sg-22222222': ['tcp 80 from anywhere'] },
}
const SECOND: World = {
  ...FIRST,
  instances: { ...FIRST.instances, [idOf('b')]: { node: 'nc-01', groups: ['sg-22222222'], public: true } },
}
const OPENED: World = { ...SECOND, groups: { ...SECOND.groups, 'sg-22222222': ['tcp 443 from anywhere'] } }

/** What the administrator has on the controller. */
const FOREIGN = `iptables -A FORWARD -s 10.99.0.0/16 -j ACCEPT
iptables -t nat -A POSTROUTING -s 10.98.0.0/16 -j MASQUERADE
iptables -N msg-log
iptables -A FORWARD -p udp --dport 514 -j msg-log
ip link add br-own type bridge
ip addr add 10.97.0.1/24 dev br-own
ip addr add 10.97.1.1/32 dev eth0`

/** Rules, devices and addresses, without what differs from one moment to the next, as whether a cable is plugged in. */
const STATE = `iptables-save | grep -v '^#' | sed 's/\\[.*//'
ip -o link show | sed 's/ qdisc.*//;s/^[0-9]*: //;s/NO-CARRIER,//;s/,LOWER_UP//'
ip -4 -o address show | sed 's/\\\\.*//;s/^[0-9]*: //' | sort
cat /run/eucalyptus/net/euca-dhcp.conf 2> /dev/null || true`

describeLab.each(['MANAGED', 'MANAGED-NOVLAN'] satisfies LabMode[])('%s', (mode) => {
  let lab: Lab
  const cc = () => lab.controller('cc-01')
  const nc = () => lab.node('nc-01')
  const foreign = async () =>
    (await cc().run(STATE)).split('\n').filter((line) => /10\.9[789]\.|msg-log|br-own/.test(line))
  let began: readonly string[]
  let untouched: readonly string[]

  beforeAll(async () => {
    lab = await startLab({ mode, nodes: 1, world: FIRST })
    await cc().run(FOREIGN)
    untouched = [await cc().run(STATE), await nc().run(STATE)]
    began = await foreign()
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    await Promise.all(Object.keys(FIRST.instances).map((id) => lab.boot(id)))
  })
  afterAll(() => lab?.stop())

  it('rules, devices and addresses that are not ours stay', async () => {
    expect(began.length).toBeGreaterThan(5)
    expect((await foreign()).toSorted()).toEqual(began.toSorted())
  })

  it('a new group comes with all that it needs, and nobody else notices', async () => {
    const kept = await machineOf(lab, 'a').hold(lab.plan.outside.address, 80)
    const device = mode === 'MANAGED' ? 'sg-11111111' : 'eth0'
    const index = await cc().run(`cat /sys/class/net/${device}/ifindex`)
    await lab.publish(SECOND)
    expect(await mustPush(lab)).toEqual({
      'cc-01': 'converged',
      'nc-01': mode === 'MANAGED' ? 'converged' : 'unchanged',
    })
    await lab.boot(idOf('b'))

    await expectPackets(
      lab,
      `
      outside  eip-b     tcp 80     b sees outside
      outside  eip-b     tcp 443    dropped
      outside  eip-a     tcp 22     a sees outside
      a        c         tcp 9      c sees a
      `,
    )
    expect(await kept.again()).toMatchObject({ reached: true })
    await kept.close()
    expect(await cc().run(`cat /sys/class/net/${device}/ifindex`)).toBe(index)
  })

  it('a rule that changes, changes', async () => {
    await lab.publish(OPENED)
    await mustPush(lab)
    await expectPackets(
      lab,
      `
      outside  eip-b     tcp 80     dropped
      outside  eip-b     tcp 443    b sees outside
      `,
    )
    expect((await foreign()).toSorted()).toEqual(began.toSorted())
  })

  it('what drifts is told and repaired', async () => {
    const harm = mode === 'MANAGED' ? 'ip link del sg-22222222' : 'ip addr del 172.16.63.225/27 dev eth0'
    await cc().run(`${harm}; iptables -P FORWARD ACCEPT; iptables -D EUCA_FORWARD 1`)
    const drift = await lab.edgepush(['drift', 'push.yml', '--detailed-exitcode'])
    expect(drift.code).toBe(2)
    expect(drift.stdout).toMatch(/links/)
    expect(drift.stdout).toMatch(/:FORWARD DROP/)
    expect((await push(lab)).outcomes['cc-01']).toMatchObject({ status: 'converged' })
    await expectPackets(lab, 'outside  eip-b     tcp 443    b sees outside')
  })

  it('a run that is taken back leaves nothing of itself', async () => {
    const before = await cc().run(STATE)
    const third: World = {
      ...OPENED,
      instances: { ...OPENED.instances, [idOf('d')]: { node: 'nc-01', groups: ['sg-33333333'], public: true } },
      groups: { ...OPENED.groups, 'sg-33333333': ['tcp 1 from anywhere'] },
    }
    await lab.publish(third)
    const pushed = await push(lab, ['--confirm-window', '60s'])
    expect(await cc().run(STATE)).not.toBe(before)
    const [, run = 'none'] = /edgepush confirm ([\w-]+)/.exec(JSON.stringify(pushed)) ?? []
    // Without VLANs nothing of it was the node's.
    const which = mode === 'MANAGED' ? [] : ['--node', 'cc-01']
    expect((await lab.edgepush(['abort', run, 'push.yml', ...which])).code).toBe(0)
    expect(await cc().run(STATE)).toBe(before)
    await lab.publish(OPENED)
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
  })

  it('a device of that name, or none to build on, and the host is untouched', async () => {
    const before = [await cc().run(STATE), await nc().run(STATE)]
    const inventory = await readFile(lab.files.inventory, 'utf8')
    await writeFile(
      lab.files.inventory,
      inventory.replaceAll(/VNET_PRIVINTERFACE: "?eth0"?/g, 'VNET_PRIVINTERFACE: eth7'),
    )
    const { code, outcomes } = await push(lab, ['--node', 'cc-01'])
    expect([code, outcomes['cc-01']]).toEqual([
      3,
      expect.objectContaining({ status: 'refused', reason: expect.stringContaining('eth7') }),
    ])
    await writeFile(lab.files.inventory, inventory)
    expect([await cc().run(STATE), await nc().run(STATE)]).toEqual(before)
  })

  it('the last instance of a group takes the group along; a bridge in use stays until it is free', async () => {
    await lab.publish({ ...OPENED, instances: FIRST.instances })
    const { outcomes } = await push(lab)
    const notes = outcomes['nc-01']?.notes ?? []
    expect(notes.join()).toMatch(
      mode === 'MANAGED' ? /sg-22222222 is no longer wanted but is in use: it stays .*vn_i-0b0b0b0b/ : /^$/,
    )
    expect(await cc().run(STATE)).not.toMatch(/sg-22222222|172\.16\.63\.225/)
    await machineOf(lab, 'b').stop()

    await lab.publish({ ...FIRST, instances: { [idOf('a')]: FIRST.instances[idOf('a')] ?? never() } })
    await mustPush(lab)
    await lab.publish(FIRST)
    await mustPush(lab)
    await expectPackets(lab, 'outside  eip-a     tcp 22     a sees outside')
  })

  it('flushed, a host holds what it held before', async () => {
    await Promise.all(['a', 'c'].map((letter) => machineOf(lab, letter).stop()))
    const flushed = await lab.edgepush(['flush', 'push.yml'])
    expect([flushed.code, flushed.stderr]).toEqual([0, expect.stringContaining('cc-01: converged: flushed')])
    const clean = (text: string) =>
      text
        .split('\n')
        .filter((line) => !/^(\*|:|COMMIT)/.test(line))
        .toSorted()
    expect([await cc().run(STATE), await nc().run(STATE)].map(clean)).toEqual(untouched.map(clean))
    expect(await cc().run('iptables-save')).toMatch(/^:FORWARD ACCEPT/m)
  })
})

function never(): never {
  throw new Error('there is no such instance')
}
