// What a view may name besides instances and groups: further private networks, and more than one name server.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { viewFile } from '../../lab/write-files.ts'
import { dumpAll } from './dump.ts'
import { expectPackets, idOf } from './packets.ts'
import { all, mustPush } from './push.ts'
import { describeLab } from './with-lab.ts'

const world: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('b')]: { node: 'nc-02', groups: ['sg-aaaaaaaa'], public: true },
  },
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] },
}

/** An address in such a network. The outside host has it. */
const far = '192.168.77.7'

const network = ['subnet 192.168.77.0', 'netmask 255.255.255.0', 'gateway 192.168.77.1'].map(property).join('')
const networks = `<property name="subnets"><subnet name="192.168.77.0">${network}</subnet></property>`

describeLab.each(['one', 'two'] as const)('a view with further private networks, networks: %s', (layout) => {
  let lab: Lab

  beforeAll(async () => {
    lab = await startLab({ nodes: 2, networks: layout, world })
    await mustPush(lab)
    await Promise.all(Object.keys(world.instances).map((id) => lab.boot(id)))
    await lab.outside.run(`ip address add ${far}/32 dev lo`)
    await lab.router.run(`ip route add ${far} via ${lab.plan.outside.address}`)
    await lab.admin.run(`ip route add ${far} via ${lab.node('nc-01').address}`)
  })
  afterAll(() => lab?.stop())

  it('lets instances keep their private address there; what else a node routes there is dropped', async () => {
    const plain = await dumpAll(lab)
    await expectPackets(
      lab,
      `
      a        ${far}  tcp 443    outside sees eip-a
      b        ${far}  udp 53     outside sees eip-b
      admin    ${far}  tcp 443    outside sees admin
      `,
    )

    const view = lab
      .view(world)
      .replace('</configuration>', `${networks}</configuration>`)
      .replace('name="instanceDNSServers">', '$&<value>8.8.4.4</value>')
    await lab.clc.run(`cat > ${viewFile}`, { stdin: view })
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    await expectPackets(
      lab,
      `
      a        ${far}  tcp 443    outside sees a
      b        ${far}  udp 53     outside sees b
      admin    ${far}  tcp 443    dropped
      a        outside       tcp 443    outside sees eip-a
      `,
    )
    const machine = lab.machines.get(idOf('a'))
    expect(await machine?.dhcp()).toMatchObject({ dns: ['8.8.4.4', lab.plan.clc.address] })

    await lab.publish(world)
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    expect(await dumpAll(lab)).toEqual(plain)
  })
})

function property(text: string): string {
  const [name, value] = text.split(' ')
  return `<property name="${name}"><value>${value}</value></property>`
}
