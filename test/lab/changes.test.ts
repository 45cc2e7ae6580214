// One lab through a day's changes of the view. After each: every node converged, the packets as the new view has them,
// and the node holds exactly what a node holds that was brought to this view directly.

import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { expectAsIfDirectly } from './directly.ts'
import { dump, shown } from './dump.ts'
import { expectPackets, idOf } from './packets.ts'
import { mustPush } from './push.ts'
import { describeLab } from './with-lab.ts'

const elastic = '10.111.200.77'
const start: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: elastic },
    [idOf('b')]: { node: 'nc-02', groups: ['sg-aaaaaaaa'] },
    [idOf('c')]: { node: 'nc-01', groups: ['sg-bbbbbbbb'] },
  },
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'], 'sg-bbbbbbbb': ['tcp 3306 from sg-aaaaaaaa'] },
}

const withInstances = (world: World, instances: World['instances']): World => ({
  ...world,
  instances: { ...world.instances, ...instances },
})
const withGroups = (world: World, groups: World['groups']): World => ({
  ...world,
  groups: { ...world.groups, ...groups },
})
const without = (world: World, letter: string): World => ({
  ...world,
  instances: Object.fromEntries(Object.entries(world.instances).filter(([id]) => id !== idOf(letter))),
})

describeLab('a view that changes', () => {
  let lab: Lab

  beforeAll(async () => {
    lab = await startLab({ nodes: 3, world: start })
    await mustPush(lab)
    await Promise.all(Object.keys(start.instances).map((id) => lab.boot(id)))
  })
  afterEach(() => expectAsIfDirectly(lab))
  afterAll(() => lab?.stop())

  const vm = (letter: string) => {
    const machine = lab.machines.get(idOf(letter))
    if (!machine) throw new Error(`${letter} is not running`)
    return machine
  }

  async function change(world: World): Promise<Readonly<Record<string, string>>> {
    await lab.publish(world)
    return await mustPush(lab)
  }

  it('lets a new instance speak from the push on, and not before', async () => {
    await lab.publish(withInstances(lab.world(), { [idOf('d')]: { node: 'nc-03', groups: ['sg-aaaaaaaa'] } }))
    const d = await lab.boot(idOf('d'), { dhcp: false })
    await d.run(`ip address add ${lab.instance(idOf('d')).address}/16 dev eth0`)
    expect(await d.arp(lab.instance(idOf('a')).address)).toBeUndefined()

    expect(await mustPush(lab)).toEqual({ 'nc-01': 'converged', 'nc-02': 'converged', 'nc-03': 'converged' })
    expect(await d.dhcp()).toMatchObject({ address: lab.instance(idOf('d')).address })
    await expectPackets(
      lab,
      `
      d        b         tcp 9999   b sees d
      a        d         tcp 9999   d sees a
      d        c         tcp 3306   c sees d
      c        d         tcp 80     dropped
      `,
    )
  })

  it('opens and closes a port', async () => {
    await expectPackets(lab, 'c  d  tcp 80  dropped')
    await change(withGroups(lab.world(), { 'sg-aaaaaaaa': ['tcp 80 from sg-bbbbbbbb'] }))
    await expectPackets(
      lab,
      `
      c        d         tcp 80     d sees c
      c        d         tcp 22     dropped
      outside  eip-a     tcp 22     dropped
      `,
    )
    await change(withGroups(lab.world(), { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] }))
    await expectPackets(
      lab,
      `
      c        d         tcp 80     dropped
      c        d         tcp 22     d sees c
      outside  eip-a     tcp 22     a sees outside
      `,
    )
  })

  it('moves an instance to another group, which is new', async () => {
    const world = withInstances(lab.world(), { [idOf('b')]: { node: 'nc-02', groups: ['sg-cccccccc'] } })
    await change(withGroups(world, { 'sg-cccccccc': ['udp 53 from sg-aaaaaaaa'] }))
    expect(await shown(lab.node('nc-02'))).not.toMatch(/^:sg-aaaaaaaa/m)
    await expectPackets(
      lab,
      `
      a        b         tcp 9999   dropped
      a        b         udp 53     b sees a
      c        b         udp 53     dropped
      b        c         tcp 3306   dropped
      `,
    )
  })

  it('moves an elastic IP to another node: outside follows, and the connections of the old one are cut', async () => {
    const kept = await lab.outside.hold(elastic, 22)
    expect(kept).toMatchObject({ reached: true, by: idOf('a') })
    const world = withInstances(lab.world(), {
      [idOf('a')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'] },
      [idOf('d')]: { node: 'nc-03', groups: ['sg-aaaaaaaa'], public: elastic },
    })
    await change(world)

    // Before anybody asks: the new node has told it, and not only once.
    const neighbour = () => lab.router.run(`ip neigh show ${elastic} dev pub`)
    await vi.waitFor(async () => expect(await neighbour()).toContain(lab.node('nc-03').bridgeMac), { timeout: 4_000 })
    expect(await lab.outside.tcp(elastic, 22)).toMatchObject({ reached: true, by: idOf('d') })
    expect((await kept.again({ timeout: 700 })).reached).toBe(false)
    await kept.close()
    await expectPackets(
      lab,
      `
      a        outside   tcp 443    outside sees a
      d        outside   tcp 443    outside sees eip-d
      `,
    )
  })

  it('keeps a connection that both views allow', async () => {
    const kept = await lab.outside.hold(elastic, 22)
    await change(withGroups(lab.world(), { 'sg-aaaaaaaa': ['tcp 80 from anywhere', 'tcp 22 from anywhere'] }))
    expect(await kept.again()).toMatchObject({ reached: true, by: idOf('d') })
    await kept.close()
  })

  it('revokes an elastic IP: nobody answers, and its connections are cut in both directions', async () => {
    const [inward, outward] = [await lab.outside.hold(elastic, 22), await vm('d').hold('192.0.2.7', 443)]
    expect(outward).toMatchObject({ reached: true, source: elastic })
    await change(withInstances(lab.world(), { [idOf('d')]: { node: 'nc-03', groups: ['sg-aaaaaaaa'] } }))

    expect((await inward.again({ timeout: 700 })).reached).toBe(false)
    expect((await outward.again({ timeout: 700 })).reached).toBe(false)
    expect(await lab.router.arp(elastic)).toBeUndefined()
    await Promise.all([inward.close(), outward.close()])
  })

  it('empties a node of its last instance: no DHCP server, no file, no groups', async () => {
    await vm('b').stop()
    await change(without(lab.world(), 'b'))
    const { dhcpd, iptables, ebtables } = await dump(lab.node('nc-02'))
    expect(dhcpd).toContain('No such file')
    expect(await lab.node('nc-02').run('ps -eo args')).not.toContain('dhcpd')
    expect(`${iptables}${ebtables}`).not.toMatch(/:sg-|vn_i-/)
    expect(await mustPush(lab)).toEqual({ 'nc-01': 'unchanged', 'nc-02': 'unchanged', 'nc-03': 'unchanged' })
  })

  it('gives an empty node its first instance', async () => {
    await change(
      withInstances(lab.world(), { [idOf('e')]: { node: 'nc-02', groups: ['sg-bbbbbbbb'], public: elastic } }),
    )
    await lab.boot(idOf('e'))
    await expectPackets(
      lab,
      `
      a        e         tcp 3306   e sees a
      e        c         tcp 9999   c sees e
      e        outside   tcp 443    outside sees eip-e
      a        eip-e     tcp 3306   e sees a
      `,
    )
  })

  it('leaves nothing behind when the view is empty', async () => {
    await Promise.all([...lab.machines.values()].map((machine) => machine.stop()))
    await change({ instances: {}, groups: {} })
    for (const node of lab.nodes) {
      const held = await dump(node)
      expect(`${held.iptables}${held.ipset}`).not.toContain('sg-')
      expect(held.addresses).not.toContain('10.111.200.')
      expect(held.ebtables).not.toContain('vn_i-')
    }
  })
})
