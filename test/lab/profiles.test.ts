// What the profile hardened adds, each with the same packets to two nodes of one push: nc-01 is compatible, nc-02 is
// hardened. Where nothing is to arrive, something that does arrive is sent after it on the same way.

import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { counter } from './counter.ts'
import { metersIn } from './meters.ts'
import { expectPackets, idOf, machineOf } from './packets.ts'
import { all, mustPush } from './push.ts'
import { HEADERS, sendUdp } from './send-udp.ts'
import { describeLab } from './with-lab.ts'

/** On each of the two nodes an instance with an elastic IP and one without; a listener on the third. */
const world: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('b')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'] },
    [idOf('c')]: { node: 'nc-02', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('d')]: { node: 'nc-02', groups: ['sg-aaaaaaaa'] },
    [idOf('e')]: { node: 'nc-03', groups: ['sg-bbbbbbbb'] },
  },
  groups: {
    'sg-aaaaaaaa': ['tcp 22 from anywhere'],
    'sg-bbbbbbbb': ['udp from sg-aaaaaaaa'],
  },
}

const conf = '/etc/eucalyptus/eucalyptus.conf'

describeLab('the profile hardened beside compatible', () => {
  let lab: Lab
  const vm = (letter: string) => machineOf(lab, letter)
  const privateOf = (letter: string) => lab.instance(idOf(letter)).address

  beforeAll(async () => {
    lab = await startLab({ nodes: 3, networks: 'two', world })
    const inventory = await readFile(lab.files.inventory, 'utf8')
    const hardened = inventory.replace(/(nc-02: \{.*) \}/, '$1, profile: hardened }')
    expect(hardened).not.toBe(inventory)
    await writeFile(lab.files.inventory, hardened)
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    await Promise.all(Object.keys(world.instances).map((id) => lab.boot(id)))
  })
  afterAll(() => lab?.stop())

  it('lets an ICMP error of an established flow in where no rule lets ICMP in: port unreachable', async () => {
    await lab.outside.run('iptables -t nat -I PREROUTING -p udp --dport 9 -j ACCEPT')
    await expectPackets(
      lab,
      `
      a        outside   udp 9      dropped
      b        outside   udp 9      dropped
      c        outside   udp 9      refused
      d        outside   udp 9      refused
      # and nothing else of ICMP
      outside  eip-c     icmp       dropped
      `,
    )
  })

  it('lets an instance learn of a path with a smaller MTU: fragmentation needed', async () => {
    await lab.router.run('ip link set out mtu 1000')
    const needed = '-p icmp --icmp-type fragmentation-needed'
    const told = async (node: string) => {
      const [, count = '0'] =
        /^\[(\d+):.*--icmp-type 3\/4/m.exec(await lab.node(node).run('iptables-save -c -t mangle')) ?? []
      return Number(count)
    }
    const learned = (letter: string) => vm(letter).run(`ip route get ${lab.plan.outside.address}`)
    for (const [letter, node] of [
      ['a', 'nc-01'],
      ['c', 'nc-02'],
    ] as const) {
      await lab.node(node).run(`iptables -t mangle -A PREROUTING ${needed}`)
      await sendUdp(vm(letter), { to: lab.plan.outside.address, port: 5000, size: 1400 })
      await vi.waitFor(async () => expect(await told(node)).toBe(1), { timeout: 5_000 })
    }
    await vi.waitFor(async () => expect(await learned('c')).toContain('mtu 1000'), { timeout: 5_000 })
    expect(await learned('a')).not.toContain('mtu')
    await lab.router.run('ip link set out mtu 1500')
  })

  it('lets no instance answer as a DHCP server', async () => {
    const offers = await counter(vm('e'), '-p udp --sport 67 --dport 68')
    for (const letter of ['a', 'b', 'c', 'd']) {
      await sendUdp(vm(letter), { to: privateOf('e'), port: 68, sourcePort: 67 })
      expect((await vm(letter).udp(privateOf('e'), 53)).reached).toBe(true)
    }
    expect(await offers()).toBe(2)
  })

  it('lets no datagram with a forged source out to the ports of DHCP, and still gives leases', async () => {
    const requests = await counter(vm('e'), '-p udp --dport 67:68')
    // Each forges the address of its neighbour, which the group lets in.
    for (const [letter, neighbour] of [
      ['a', 'b'],
      ['c', 'd'],
    ] as const) {
      await vm(letter).forgeAddress(privateOf(neighbour))
      await sendUdp(vm(letter), { to: privateOf('e'), port: 67, from: privateOf(neighbour) })
      await sendUdp(vm(letter), { to: privateOf('e'), port: 68, from: privateOf(neighbour) })
      await vm(letter).restore()
      expect((await vm(letter).udp(privateOf('e'), 53)).reached).toBe(true)
    }
    expect(await requests()).toBe(2)
    expect(await vm('c').dhcp()).toMatchObject({ address: privateOf('c') })
  })

  it('redirects to the metadata service what comes from instances, and nothing else', async () => {
    const stray = await counter(lab.clc, `-s ${lab.plan.outside.address} -p tcp --dport 8773 --syn`)
    const through = async (node: string) => {
      await lab.router.run(`ip route replace 169.254.169.254 via ${lab.node(node).address}`)
      await lab.outside.tcp('169.254.169.254', 80, { timeout: 400 })
      return await stray()
    }
    expect(await through('nc-02')).toBe(0)
    expect(await through('nc-01')).toBeGreaterThan(0)
    await lab.router.run('ip route del 169.254.169.254')
    await expectPackets(
      lab,
      `
      a        metadata  tcp 80     clc-01 sees eip-a
      c        metadata  tcp 80     clc-01 sees eip-c
      d        metadata  tcp 80     clc-01 sees d
      `,
    )
  })

  it('counts the traffic of instances without elastic IP', async () => {
    const counts = async () => metersIn((await lab.edgepush(['meter', 'push.yml', '--json'])).stdout)
    const before = (await counts())['d private']
    expect(await counts()).not.toHaveProperty('b private')
    for (const host of [vm('d'), vm('e'), lab.outside])
      await host.run('iptables -t raw -A PREROUTING -p udp --dport 5000 -j DROP')

    // The group of d lets no UDP in: what is dropped has not come in, wherever it is from.
    await sendUdp(lab.outside, { to: privateOf('d'), port: 5000, count: 9 })
    await sendUdp(vm('e'), { to: privateOf('d'), port: 5000, count: 8 })
    await sendUdp(vm('c'), { to: privateOf('d'), port: 5000, count: 3, size: 100 })
    await sendUdp(vm('d'), { to: privateOf('e'), port: 5000, count: 4, size: 50 })
    await sendUdp(vm('d'), { to: lab.plan.outside.address, port: 5000, count: 2, size: 50 })
    const plus = ([packets = 0, bytes = 0]: readonly number[] = [], count: number, size: number) => [
      packets + count,
      bytes + count * (size + HEADERS),
    ]
    const expected = { in: plus(before?.in, 3, 100), out: plus(before?.out, 6, 50) }
    await vi.waitFor(async () => expect((await counts())['d private']).toEqual(expected), { timeout: 5_000 })
    expect(await counts()).not.toHaveProperty('b private')
    const dropped = await lab
      .node('nc-02')
      .run(`iptables-save -c -t filter | grep 'DROPPED -d ${privateOf('d')}/32 -m set'`)
    expect(dropped.match(/^\[\d+/gm)).toEqual(['[8', expect.stringMatching(/^\[(9|1\d)$/)])
  })

  it('lets no IPv6 of instances through, with DISABLE_L2_ISOLATION=Y as without', async () => {
    const pairs = [
      ['a', 'b', 'nc-01'],
      ['c', 'd', 'nc-02'],
    ] as const
    for (const [index, letter] of ['a', 'b', 'c', 'd'].entries()) {
      await vm(letter).run('echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6')
      await vm(letter).run(`ip -6 address add fe80::${index + 1}/64 dev eth0 nodad`)
    }
    const heard = async () => {
      const answers = pairs.map(async ([from, to, node]) => {
        const number = ['a', 'b', 'c', 'd'].indexOf(to) + 1
        const { code } = await vm(from).exec(`busybox ping6 -q -c 2 -W 1 -I eth0 fe80::${number}`)
        return [node, code === 0] as const
      })
      return Object.fromEntries(await Promise.all(answers))
    }
    expect(await heard()).toEqual({ 'nc-01': false, 'nc-02': false })
    await Promise.all(lab.nodes.map((node) => node.run(`echo DISABLE_L2_ISOLATION=Y >> ${conf}`)))
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    expect(await heard()).toEqual({ 'nc-01': true, 'nc-02': false })
    await expectPackets(lab, 'c  d  tcp 9999  d sees c')
  })
})
