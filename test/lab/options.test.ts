// The options that an administrator sets in a node's own eucalyptus.conf: the next push honours them, and the one after
// they are gone undoes them. Each is shown on one network and on two.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { type Dump, dumpAll } from './dump.ts'
import { expectPackets, idOf, machineOf } from './packets.ts'
import { all, mustPush } from './push.ts'
import { describeLab } from './with-lab.ts'

const world: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('b')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'] },
    [idOf('c')]: { node: 'nc-02', groups: ['sg-aaaaaaaa'] },
    [idOf('d')]: { node: 'nc-02', groups: ['sg-bbbbbbbb'] },
  },
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'], 'sg-bbbbbbbb': ['tcp 80 from 10.111.200.0/24'] },
}

const conf = '/etc/eucalyptus/eucalyptus.conf'

describeLab.each(['one', 'two'] as const)('options of nodes, networks: %s', (networks) => {
  let lab: Lab
  let plain: Readonly<Record<string, Dump>>
  const vm = (letter: string) => machineOf(lab, letter)
  const gateway = () => lab.plan.clusters[0]?.gateway ?? ''
  const bridgeAddress = (name: string) => lab.node(name).bridgeAddresses[0]?.replace('/16', '')
  const routerDevice = networks === 'one' ? 'pub' : 'prv1'
  const routerMac = async () => (await lab.router.run(`cat /sys/class/net/${routerDevice}/address`)).trim()

  beforeAll(async () => {
    lab = await startLab({ nodes: 2, networks, world })
    await mustPush(lab)
    plain = await dumpAll(lab)
    await Promise.all(lab.nodes.map((node) => node.run(`cp ${conf} /tmp/conf`)))
    await Promise.all(Object.keys(world.instances).map((id) => lab.boot(id)))
  })
  afterAll(() => lab?.stop())

  async function set(options: string): Promise<void> {
    await Promise.all(lab.nodes.map((node) => node.run(`(cat /tmp/conf; echo '${options}') > ${conf}`)))
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    // What instances have learned of the gateway before is no longer so.
    await Promise.all([...lab.machines.values()].map((machine) => machine.run('ip neigh flush dev eth0')))
  }

  it('NC_ROUTER_IP=AUTO: makes the bridge of the node the router of its instances', async () => {
    await set('NC_ROUTER_IP=AUTO')
    expect(await vm('a').dhcp()).toMatchObject({ router: bridgeAddress('nc-01') })
    expect(await vm('c').dhcp()).toMatchObject({ router: bridgeAddress('nc-02') })
    expect(await vm('a').arp(gateway())).toBe(await routerMac())
    await expectPackets(
      lab,
      `
      a        outside   tcp 443    outside sees eip-a
      a        metadata  tcp 80     clc-01 sees eip-a
      a        c         tcp 9999   c sees a
      a        d         tcp 80     dropped
      outside  eip-a     tcp 22     a sees outside
      `,
    )
    await Promise.all(['a', 'c'].map((letter) => vm(letter).run(`ip route replace default via ${gateway()}`)))
  })

  it('NC_ROUTER_IP: makes somebody else the router of instances, and lets only that one in everywhere', async () => {
    const other = gateway().replace(/1$/, '250')
    await lab.router.run(`ip address add ${other}/16 dev ${routerDevice}`)
    await set(`NC_ROUTER_IP=${other}`)
    expect(await vm('a').dhcp()).toMatchObject({ router: other })
    expect(await vm('c').dhcp()).toMatchObject({ router: other })
    expect(await vm('a').arp(other)).toBe(await routerMac())
    expect(await vm('a').arp(gateway())).toBe(await routerMac())
    await expectPackets(
      lab,
      `
      a        outside   tcp 443    outside sees eip-a
      c        outside   tcp 443    outside sees c
      c        metadata  tcp 80     clc-01 sees c
      a        d         tcp 80     dropped
      outside  eip-a     tcp 22     a sees outside
      outside  eip-a     tcp 23     dropped
      `,
    )
    const closed = lab.instance(idOf('d')).address
    expect((await lab.router.tcp(closed, 23, { from: other })).reached).toBe(true)
    expect((await lab.router.tcp(closed, 23, { from: gateway(), timeout: 700 })).reached).toBe(false)

    await lab.router.run(`ip address del ${other}/16 dev ${routerDevice}`)
    await Promise.all(['a', 'c'].map((letter) => vm(letter).run(`ip route replace default via ${gateway()}`)))
  })

  it('NC_ROUTER=N: leaves the gateway to the real router', async () => {
    await set('NC_ROUTER="N"')
    expect(await vm('a').dhcp()).toMatchObject({ router: gateway() })
    expect(await vm('a').arp(gateway())).toBe(await routerMac())
    await expectPackets(
      lab,
      `
      a        outside   tcp 443    outside sees eip-a
      outside  eip-a     tcp 22     a sees outside
      outside  eip-a     tcp 23     dropped
      `,
    )
  })

  it('NC_PROXY=Y: answers for everybody, and lends its address to those who have no elastic IP', async () => {
    await set('NC_PROXY="Y"')
    expect(await vm('a').arp(lab.instance(idOf('c')).address)).toBe(lab.node('nc-01').bridgeMac)
    expect(await vm('c').arp(lab.instance(idOf('a')).address)).toBe(lab.node('nc-02').bridgeMac)
    await expectPackets(
      lab,
      `
      a        outside   tcp 443    outside sees eip-a
      b        outside   tcp 443    outside sees nc-01
      c        outside   tcp 443    outside sees nc-02
      a        c         tcp 9999   c sees a
      c        a         tcp 9999   a sees c
      a        d         tcp 80     dropped
      outside  eip-a     tcp 22     a sees outside
      `,
    )
  })

  it('DISABLE_L2_ISOLATION=Y: lets instances forge, and still filters by groups', async () => {
    await set('DISABLE_L2_ISOLATION=Y')
    const [a, c] = [vm('a'), vm('c')]
    const forged = lab.instance(idOf('b')).address
    await c.run(`iptables -t raw -A PREROUTING -s ${forged}`)
    await a.forgeAddress(forged)
    await a.udp(lab.instance(idOf('c')).address, 9999, { timeout: 400 })
    await a.restore()
    expect(await c.run('iptables-save -c -t raw')).toMatch(/^\[[1-9]/m)
    await expectPackets(
      lab,
      `
      a        c         tcp 9999   c sees a
      a        d         tcp 80     dropped
      a        outside   tcp 443    outside sees eip-a
      `,
    )
  })

  it('METADATA_USE_VM_PRIVATE=Y: lets the metadata service see private addresses', async () => {
    await set('METADATA_USE_VM_PRIVATE=Y')
    await expectPackets(
      lab,
      `
      a        metadata  tcp 80     clc-01 sees a
      c        metadata  tcp 80     clc-01 sees c
      a        outside   tcp 443    outside sees eip-a
      `,
    )
  })

  it('METADATA_IP: asks another host for metadata', async () => {
    await set('METADATA_IP=192.0.2.7')
    await expectPackets(lab, 'a  metadata  tcp 80  outside sees eip-a')
  })

  it('leave nothing behind when they are gone', async () => {
    await set('')
    expect(await dumpAll(lab)).toEqual(plain)
  })
})
