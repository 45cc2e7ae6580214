// MANAGED-NOVLAN with two clusters: what only works between them with hardened, and what an instance gets away with
// without it.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { expectPackets, idOf, machineOf } from '../lab/packets.ts'
import { all, harden, mustPush } from '../lab/push.ts'
import { describeLab } from '../lab/with-lab.ts'

/** One group in both clusters, one in the second only. */
const world: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-0a0a0a0a'], public: true },
    [idOf('c')]: { node: 'nc-02', groups: ['sg-0a0a0a0a'] },
    [idOf('b')]: { node: 'nc-02', groups: ['sg-0b0b0b0b'], public: true },
  },
  groups: {
    'sg-0a0a0a0a': ['tcp 22 from anywhere', 'udp 53 from 10.0.0.0/8'],
    'sg-0b0b0b0b': ['tcp 80 from sg-0a0a0a0a', 'icmp 8/0 from anywhere', 'tcp from 172.30.0.0/16'],
  },
}

describeLab.each(['compatible', 'hardened'] as const)('%s', (profile) => {
  let lab: Lab
  const isHardened = profile === 'hardened'

  beforeAll(async () => {
    lab = await startLab({ mode: 'MANAGED-NOVLAN', clusters: 2, nodes: 2, world })
    if (isHardened) await harden(lab)
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    await Promise.all(Object.keys(world.instances).map((id) => lab.boot(id)))
  })
  afterAll(() => lab?.stop())

  it('each instance has the router of its own cluster', async () => {
    const leases = await Promise.all(['a', 'c', 'b'].map(async (letter) => await machineOf(lab, letter).dhcp()))
    expect(leases.map((lease) => lease?.router)).toEqual(['172.16.63.193', '172.16.63.194', '172.16.63.226'])
  })

  it('what the groups say passes within a cluster and from outside', async () => {
    await expectPackets(
      lab,
      `
      outside  eip-a     tcp 22     a sees outside
      outside  eip-a     tcp 23     dropped
      outside  eip-b     icmp       answered
      a        c         tcp 23     c sees a
      c        b         tcp 80     b sees c
      c        b         tcp 81     dropped
      c        eip-b     tcp 80     b sees c
      a        eip-a     tcp 22     a sees eip-a
      c        eip-a     tcp 22     a sees cc-02
      b        eip-a     tcp 22     a sees eip-b
      a        outside   tcp 9      outside sees eip-a
      c        outside   tcp 9      outside sees cc-02
      a        metadata  tcp 80     clc-01 sees eip-a
      c        metadata  tcp 80     clc-01 sees cc-02
      `,
    )
  })

  it('a group of another cluster is reached by private and public addresses only with hardened', async () => {
    await expectPackets(
      lab,
      `
      a        b         tcp 80     ${isHardened ? 'b sees a' : 'dropped'}
      a        b         tcp 81     dropped
      a        eip-b     tcp 80     ${isHardened ? 'b sees eip-a' : 'dropped'}
      a        eip-b     tcp 81     dropped
      `,
    )
  })

  it('an address of another segment lets an instance past the rules, but not with hardened', async () => {
    const forged = '172.16.63.240'
    await machineOf(lab, 'a').run(`ip addr add ${forged}/27 dev eth0`)
    const { address } = lab.instance(idOf('b'))
    const reach = await machineOf(lab, 'a').tcp(address, 23, { from: forged, timeout: 700 })
    expect(reach.reached).toBe(!isHardened)
    await machineOf(lab, 'a').run(`ip addr del ${forged}/27 dev eth0`)
    // With its own it is heard all the same.
    await expectPackets(lab, 'a        c         tcp 23     c sees a')
  })

  it('a second push changes nothing', async () => {
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
  })
})
