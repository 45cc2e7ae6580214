// MANAGED with real tags on a real wire: in a guest, whose kernel has VLANs. What takes milliseconds elsewhere may take
// seconds there.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { expectPackets, idOf, machineOf } from '../lab/packets.ts'
import { all, harden, mustPush } from '../lab/push.ts'
import { tagsOf, type Wire, watchWire } from '../lab/tags.ts'
import { describeGuest } from '../lab/with-guest.ts'
import { whatGroupsSay, world } from './who-reaches-whom.ts'

/** For an answer. */
const timeout = 5_000

/** The group of b has nobody any more, and another one has its first. */
const { [idOf('b')]: _, ...others } = world.instances
const changed: World = {
  instances: { ...others, [idOf('d')]: { node: 'nc-02', groups: ['sg-33333333'] } },
  groups: { ...world.groups, 'sg-33333333': [] },
}

describeGuest('MANAGED in a guest', { timeout: 900_000 }, () => {
  let lab: Lab

  beforeAll(async () => {
    lab = await startLab({ mode: 'MANAGED', nodes: 2, world, guest: true })
  }, 900_000)
  afterAll(() => lab?.stop())

  it('frames of networks with different tags are kept apart', async () => {
    const [first, second] = [lab.node('nc-01'), lab.node('nc-02')]
    const wire = await wireOf('nc-02', 'vlan and (arp or icmp)')
    await first.plug(vlan(7, '192.168.7.1') + vlan(8, '192.168.8.1'))
    await second.plug(vlan(7, '192.168.7.2') + vlan(9, '192.168.8.2'))

    expect(await first.ping('192.168.7.2', { timeout })).toEqual({ reached: true })
    expect(await first.ping('192.168.8.2', { timeout })).toMatchObject({ reached: false })
    await second.plug(`addr del 192.168.8.2/24 dev eth0.9\n${vlan(8, '192.168.8.2')}`)
    expect(await first.ping('192.168.8.2', { timeout })).toEqual({ reached: true })

    await expect.poll(() => tagsOf(wire.seen())).toEqual(['7', '8'])
    wire.stop()
    await first.plug('link del eth0.7\nlink del eth0.8\n')
    await second.plug('link del eth0.7\nlink del eth0.8\nlink del eth0.9\n')
  })

  it('controllers and nodes get the VLANs of their groups, and nothing is left to do', async () => {
    expect(await pushOneByOne()).toEqual(all(lab, 'converged'))
    expect(await pushOneByOne()).toEqual(all(lab, 'unchanged'))
    const both = ['eth0.512', 'eth0.513']
    expect(await vlansOf('cc-01')).toEqual(both)
    expect(await vlansOf('nc-01')).toEqual(both)
    expect(await vlansOf('nc-02')).toEqual(['eth0.512'])
  })

  it('an instance is leased its address by a controller at the other end of its VLAN', async () => {
    const wire = await wireOf('cc-01', 'vlan and udp port 67')
    for (const [letter, address, router] of [
      ['a', '172.16.63.201', '172.16.63.193'],
      ['b', '172.16.63.233', '172.16.63.225'],
      ['c', '172.16.63.202', '172.16.63.193'],
    ] as const) {
      const machine = await lab.boot(idOf(letter), { dhcp: false })
      const lease = { address, prefix: 27, router, seconds: 86_400, domain: 'eucalyptus.internal' }
      await expect.poll(() => machine.dhcp(), { timeout: 120_000 }).toMatchObject(lease)
    }
    await expect.poll(() => tagsOf(wire.seen())).toEqual(['512', '513'])
    wire.stop()
  })

  it('what the groups say passes, and nothing else; members on two nodes reach each other by their tag', async () => {
    const wire = await wireOf('nc-02', 'vlan and tcp port 23')
    await expectPackets(lab, whatGroupsSay, timeout)
    await expect.poll(() => tagsOf(wire.seen())).toEqual(['512'])
    wire.stop()
  })

  it('a broadcast is heard by its own group only', async () => {
    const nobody = '172.16.63.199'
    const [member, stranger] = await Promise.all(
      ['a', 'b'].map((letter) => watchWire(machineOf(lab, letter), 'eth0', `arp and host ${nobody}`)),
    )
    await machineOf(lab, 'c').arp(nobody)
    await expect.poll(() => member?.seen().length, { timeout }).toBeGreaterThan(0)
    expect(stranger?.seen()).toEqual([])
    for (const wire of [member, stranger]) wire?.stop()
  })

  it('compatible: public addresses of the own segment', async () => {
    await filterBridged(1)
    await expectPackets(lab, ownSegment('dropped', 'dropped'), timeout)
    await filterBridged(0)
    await expectPackets(lab, ownSegment('a sees eip-a', 'dropped'), timeout)
  })

  it('hardened: the same, and what passed before', async () => {
    await harden(lab)
    expect(await pushOneByOne(['--node', 'cc-01'])).toEqual({ 'cc-01': 'converged' })
    await expectPackets(lab, `${whatGroupsSay}${ownSegment('a sees eip-a', 'a sees 172.16.63.193')}`, timeout)
  })

  it('a group comes and another goes with their VLANs, and who is connected stays so', async () => {
    const kept = await machineOf(lab, 'a').hold(lab.instance(idOf('c')).address, 23, { timeout })
    await machineOf(lab, 'b').stop()
    await lab.publish(changed)
    expect(await pushOneByOne()).toEqual(all(lab, 'converged'))
    expect(await vlansOf('cc-01')).toEqual(['eth0.512', 'eth0.514'])
    expect(await vlansOf('nc-01')).toEqual(['eth0.512'])
    expect(await vlansOf('nc-02')).toEqual(['eth0.512', 'eth0.514'])

    const newcomer = await lab.boot(idOf('d'), { dhcp: false })
    await expect.poll(() => newcomer.dhcp(), { timeout: 120_000 }).toMatchObject({ address: '172.16.64.9', prefix: 27 })
    await expectPackets(lab, 'd        outside   tcp 9      outside sees cc-01', timeout)
    expect(await kept.again({ timeout })).toMatchObject({ reached: true })
    await kept.close()
  })

  it('flushed, no VLAN is left', async () => {
    await Promise.all([...lab.machines.values()].map((machine) => machine.stop()))
    const flushed = await lab.edgepush(['flush', 'push.yml', '--forks', '1'], { timeout: 600_000 })
    expect([flushed.code, flushed.stderr]).toEqual([0, expect.stringContaining('cc-01: converged: flushed')])
    for (const host of ['cc-01', 'nc-01', 'nc-02']) expect(await vlansOf(host)).toEqual([])
  })

  // Each then has the whole guest for itself, and a push does not wait for ever for what is slow.
  const pushOneByOne = (args: readonly string[] = []) => {
    return mustPush(lab, ['--forks', '1', ...args], { timeout: 600_000 })
  }
  const wireOf = (host: string, filter: string): Promise<Wire> => watchWire(lab.switches, `${host}.eth0`, filter)
  const filterBridged = (value: 0 | 1) =>
    lab.controller('cc-01').run(`echo ${value} > /proc/sys/net/bridge/bridge-nf-call-iptables`)

  async function vlansOf(host: string): Promise<readonly string[]> {
    const shown = await lab.controller(host).run('ip -o -d link show type vlan')
    return [...shown.matchAll(/^\d+: ([^@]+)@eth0: /gm)].map(([, name = '']) => name).toSorted()
  }
})

/** What becomes of a packet to the sender's own elastic IP, and to that of a neighbour from one without. */
function ownSegment(own: string, neighbour: string): string {
  return `a        eip-a     tcp 22     ${own}\nc        eip-a     tcp 22     ${neighbour}\n`
}

/** For `ip -batch`. */
function vlan(tag: number, address: string): string {
  return [
    `link add link eth0 name eth0.${tag} type vlan id ${tag}`,
    `addr add ${address}/24 dev eth0.${tag}`,
    `link set eth0.${tag} up\n`,
  ].join('\n')
}
