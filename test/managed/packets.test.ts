// Who reaches whom in the modes with controllers, by what the groups say, from each profile; the source that the other
// side sees tells which translation was done. VLANs are stood in for where the kernel has none.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabMode } from '../../lab/plan-managed.ts'
import { startLab } from '../../lab/start-lab.ts'
import { expectPackets, machineOf } from '../lab/packets.ts'
import { all, harden, mustPush, push } from '../lab/push.ts'
import { describeLab } from '../lab/with-lab.ts'
import { whatGroupsSay, world } from './who-reaches-whom.ts'

/** What a profile, and the way in which packets of a bridge are filtered, make of it. */
interface Case {
  readonly mode: LabMode
  readonly profile: 'compatible' | 'hardened'
  /** What becomes of a packet to the sender's own elastic IP, and to that of a neighbour without one of the sender's. */
  readonly own: string
  readonly neighbour: string
}

const CASES: readonly Case[] = [
  { mode: 'MANAGED', profile: 'compatible', own: 'a sees eip-a', neighbour: 'dropped' },
  { mode: 'MANAGED', profile: 'hardened', own: 'a sees eip-a', neighbour: 'a sees 172.16.63.193' },
  { mode: 'MANAGED-NOVLAN', profile: 'compatible', own: 'a sees eip-a', neighbour: 'dropped' },
  { mode: 'MANAGED-NOVLAN', profile: 'hardened', own: 'a sees eip-a', neighbour: 'a sees 172.16.63.193' },
]

describeLab.each(CASES)('$mode, $profile', ({ mode, profile, own, neighbour }) => {
  let lab: Lab

  beforeAll(async () => {
    lab = await startLab({ mode, nodes: 2, world })
    if (profile === 'hardened') await harden(lab)
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    await Promise.all(Object.keys(world.instances).map((id) => lab.boot(id)))
  })
  afterAll(() => lab?.stop())

  it('an instance is leased its address, with the router of its segment', async () => {
    const leases = await Promise.all(['a', 'b', 'c'].map(async (letter) => await machineOf(lab, letter).dhcp()))
    expect(leases.map((lease) => [lease?.address, lease?.prefix, lease?.router])).toEqual([
      ['172.16.63.201', 27, '172.16.63.193'],
      ['172.16.63.233', 27, '172.16.63.225'],
      ['172.16.63.202', 27, '172.16.63.193'],
    ])
    expect(leases[0]).toMatchObject({ seconds: 86_400, domain: 'eucalyptus.internal', dns: [lab.plan.clc.address] })
  })

  it('what the groups say passes, and nothing else', async () => {
    await expectPackets(lab, whatGroupsSay)
  })

  it('public addresses of the own segment', async () => {
    await expectPackets(
      lab,
      `
      a        eip-a     tcp 22     ${own}
      c        eip-a     tcp 22     ${neighbour}
      `,
    )
  })

  it.runIf(mode === 'MANAGED')(
    'nobody reaches them while the controller filters bridged packets, and is told',
    async () => {
      const setting = '/proc/sys/net/bridge/bridge-nf-call-iptables'
      await lab.controller('cc-01').run(`echo 1 > ${setting}`)
      await expectPackets(
        lab,
        `
      a        eip-a     tcp 22     dropped
      c        eip-a     tcp 22     dropped
      outside  eip-a     tcp 22     a sees outside
      `,
      )
      await lab.controller('cc-01').run('iptables -D EUCA_FORWARD 1')
      const { outcomes } = await push(lab)
      expect(outcomes['cc-01']?.notes.join()).toMatch(/sysctl -w net\.bridge\.bridge-nf-call-iptables=0/)
      await lab.controller('cc-01').run(`echo 0 > ${setting}`)
    },
  )

  it('an ICMP error about a connection', async () => {
    // Nothing listens there, and the host of the port says so.
    await lab.outside.run('iptables -t nat -I PREROUTING -p udp --dport 9 -j ACCEPT')
    const outcome = profile === 'hardened' ? 'refused' : 'dropped'
    // Its group lets no ICMP in.
    await expectPackets(lab, `b        outside   udp 9      ${outcome}`)
  })

  it('a second push changes nothing', async () => {
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
  })
})
