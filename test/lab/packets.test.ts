import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { expectPackets, idOf, machineOf } from './packets.ts'
import { all, mustPush } from './push.ts'
import { useLegacy } from './use-legacy.ts'
import { describeLab } from './with-lab.ts'

const world: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('b')]: { node: 'nc-01', groups: ['sg-aaaaaaaa', 'sg-bbbbbbbb'] },
    [idOf('c')]: { node: 'nc-02', groups: ['sg-bbbbbbbb'], public: true },
    [idOf('d')]: { node: 'nc-03', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('e')]: { node: 'nc-03', groups: ['sg-cccccccc'] },
    [idOf('f')]: { node: 'nc-01', groups: ['sg-cccccccc'], public: true },
  },
  groups: {
    'sg-aaaaaaaa': [
      'tcp 22 from anywhere',
      'icmp from anywhere',
      'tcp 3306 from sg-bbbbbbbb',
      // Elastic IPs only: between instances of one node the filter sees the private source, and must still let it in.
      'tcp 8000-8010 from 10.111.200.0/24',
    ],
    'sg-bbbbbbbb': ['tcp 80 from 192.0.2.7', 'udp 53 from sg-aaaaaaaa'],
    'sg-cccccccc': [],
  },
}

const layouts = [
  { networks: 'one', clusters: 1, iptables: 'nf_tables' },
  { networks: 'two', clusters: 1, iptables: 'nf_tables' },
  { networks: 'one', clusters: 2, iptables: 'nf_tables' },
  { networks: 'two', clusters: 2, iptables: 'nf_tables' },
  { networks: 'one', clusters: 1, iptables: 'legacy' },
  { networks: 'two', clusters: 2, iptables: 'legacy' },
] as const

describe.each(layouts)('packets after one push, $networks network(s), $clusters cluster(s), $iptables', (layout) => {
  describeLab('on three nodes', () => {
    let lab: Lab
    const vm = (letter: string) => machineOf(lab, letter)

    beforeAll(async () => {
      lab = await startLab({ nodes: 3, ...layout, world })
      if (layout.iptables === 'legacy') await useLegacy(lab)
      expect(await lab.node('nc-01').run('iptables -V')).toContain(layout.iptables)
      expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
      await Promise.all(Object.keys(world.instances).map((id) => lab.boot(id)))
    })
    afterAll(() => lab?.stop())

    // First of all, for the lab's router has the gateway's address, too: who has heard from it may go through it.
    it('lets a node itself reach the elastic IPs of its own instances: what it sends is not filtered', () =>
      expectPackets(
        lab,
        `
        nc-01    eip-a     tcp 22     a sees eip-a
        nc-01    eip-a     tcp 23     a sees eip-a
        nc-02    eip-a     tcp 22     a sees nc-02
        nc-02    eip-a     tcp 23     dropped
        `,
      ))

    it('answers for the gateway with the bridge of the node', async () => {
      const gateways = ['a', 'c', 'd'].map(async (letter) => {
        const { node } = lab.instance(idOf(letter))
        return [await vm(letter).arp(lab.plan.clusters[node.cluster]?.gateway ?? ''), node.bridgeMac]
      })
      for (const [answer, mac] of await Promise.all(gateways)) expect(answer).toBe(mac)
    })

    it('lets members of a group reach each other, and keeps groups apart', () =>
      expectPackets(
        lab,
        `
        # same group: anything, on one node and across nodes and clusters
        b        a         tcp 23     a sees b
        a        d         tcp 9999   d sees a
        d        a         udp 9999   a sees d
        b        c         tcp 22     c sees b
        c        b         icmp       answered
        # what a group lets in, and from whom
        c        a         tcp 3306   a sees c
        c        a         tcp 22     a sees c
        c        a         tcp 23     dropped
        c        a         udp 3306   dropped
        e        a         tcp 3306   dropped
        e        d         tcp 22     d sees e
        e        d         tcp 23     dropped
        a        c         udp 53     c sees a
        a        c         tcp 53     dropped
        a        c         tcp 22     dropped
        a        c         icmp       dropped
        c        a         icmp       answered
        # a group that lets nobody in
        a        e         tcp 22     dropped
        d        e         icmp       dropped
        f        e         tcp 22     e sees f
        `,
      ))

    it('translates elastic IPs in both directions', () =>
      expectPackets(
        lab,
        `
        outside  eip-a     tcp 22     a sees outside
        outside  eip-a     tcp 23     dropped
        outside  eip-a     tcp 8005   dropped
        outside  eip-a     icmp       answered
        outside  eip-c     icmp       dropped
        outside  eip-c     tcp 80     c sees outside
        outside  eip-d     tcp 22     d sees outside
        outside  eip-d     udp 22     dropped
        outside  eip-f     tcp 22     dropped
        clc-01   eip-d     tcp 22     d sees clc-01
        a        outside   tcp 443    outside sees eip-a
        f        outside   udp 53     outside sees eip-f
        b        outside   tcp 443    outside sees b
        a        outside   icmp       answered
        # to an elastic IP of another node the sender comes with its own
        c        eip-a     tcp 3306   a sees eip-c
        d        eip-a     tcp 23     a sees eip-d
        c        eip-a     tcp 8005   a sees eip-c
        e        eip-a     tcp 8005   dropped
        # on one node too, also back to itself
        b        eip-a     tcp 23     a sees b
        a        eip-a     tcp 22     a sees eip-a
        a        eip-a     tcp 8005   a sees eip-a
        f        eip-a     tcp 8005   a sees eip-f
        f        eip-a     tcp 8011   dropped
        f        a         tcp 8005   dropped
        # private addresses from outside, where they are routed
        outside  a         tcp 22     a sees outside
        outside  a         tcp 23     dropped
        `,
      ))

    it('answers on the metadata address', () =>
      expectPackets(
        lab,
        `
        a        metadata  tcp 80     clc-01 sees eip-a
        b        metadata  tcp 80     clc-01 sees b
        c        metadata  tcp 80     clc-01 sees eip-c
        d        metadata  tcp 80     clc-01 sees eip-d
        e        metadata  tcp 80     clc-01 sees e
        a        metadata  tcp 81     unreachable
        `,
      ))

    it('lets an ICMP error in only where the group lets ICMP in', async () => {
      await lab.outside.run('iptables -t nat -I PREROUTING -p udp --dport 9 -j ACCEPT')
      await expectPackets(
        lab,
        `
        a        outside   udp 9      refused
        c        outside   udp 9      dropped
        `,
      )
    })

    it('silences an instance that forges its address, its MAC or an ARP sender', async () => {
      const [a, d] = [vm('a'), vm('d')]
      const addressOf = (letter: string) => lab.instance(idOf(letter)).address
      const [forged, own, target] = [addressOf('b'), addressOf('a'), addressOf('d')]
      await d.run(`iptables -t raw -A PREROUTING -s ${forged}; iptables -t raw -A PREROUTING -s ${own}`)
      const counted = async () => (await d.run('iptables-save -c -t raw')).match(/^\[\d+/gm)

      await a.forgeAddress(forged)
      expect(await a.udp(target, 9999, { timeout: 400 })).toEqual({ reached: false, why: 'timeout' })
      if (layout.clusters === 1) expect(await a.arp(target, { timeout: 400 })).toBeUndefined()
      await a.restore()

      await a.forgeMac('02:66:66:66:66:66')
      expect(await a.udp(target, 9999, { timeout: 400 })).toEqual({ reached: false, why: 'timeout' })
      await a.restore()
      expect(await counted()).toEqual(['[0', '[0'])

      expect((await a.udp(target, 9999)).reached).toBe(true)
      expect(await counted()).toEqual(['[0', '[1'])
    })

    it('boots by DHCP with what the view says', async () => {
      const { node, address } = lab.instance(idOf('d'))
      expect(await vm('d').dhcp()).toEqual({
        address,
        prefix: 16,
        router: lab.plan.clusters[node.cluster]?.gateway,
        dns: ['10.111.5.10'],
        domain: 'eucalyptus.internal',
        seconds: 86400,
        server: node.bridgeAddresses[0]?.replace('/16', ''),
      })
    })
  })
})
