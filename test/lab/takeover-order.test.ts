/** eucanetd's rules are in the order of its view. Where order means nothing, nothing is written for it. */

import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabNode } from '../../lab/make-node.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { eucanetdMakes } from './eucanetd.ts'
import { all, mustPush, push } from './push.ts'
import { describeLab } from './with-lab.ts'

const world: World = {
  instances: {
    'i-0a0a0a0a': { node: 'nc-01', groups: ['sg-bbbbbbbb', 'sg-aaaaaaaa'], public: true },
    'i-0b0b0b0b': { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true },
    'i-0c0c0c0c': { node: 'nc-01', groups: ['sg-cccccccc'] },
    'i-0d0d0d0d': { node: 'nc-01', groups: ['sg-cccccccc', 'sg-aaaaaaaa'], public: true },
  },
  groups: {
    'sg-aaaaaaaa': ['tcp 22 from anywhere', 'tcp 80 from 10.111.200.0/24'],
    'sg-bbbbbbbb': ['tcp 3306 from sg-aaaaaaaa'],
    'sg-cccccccc': ['icmp from anywhere'],
  },
}

/** Every byte but counters, for the node's own traffic goes on. */
const KERNEL = `iptables-save -c | sed -e '/^#/d' -e 's/\\[[0-9:]*\\]//'; ipset save | sort; ebtables-save | grep -v '^#'
  ip -4 address show dev br0; cat /run/eucalyptus/net/euca-dhcp.conf
  stat -c '%i %y' /run/eucalyptus/net/euca-dhcp.conf; cut -d ' ' -f 1,22 /proc/$(cat /run/eucalyptus/net/euca-dhcp.pid)/stat`

describeLab('a node whose rules are in another order than ours', () => {
  let lab: Lab
  let node: LabNode

  beforeEach(async () => {
    lab = await startLab({ nodes: 1, world })
    node = lab.node('nc-01')
    await eucanetdMakes(lab, 'nc-01', 'backwards')
  })
  afterEach(() => lab.stop())

  it('is adopted and pushed to without a byte written, and the daemon goes on', async () => {
    const before = await kernel()
    const adopted = await lab.edgepush(['adopt', 'push.yml'])
    expect(adopted.stdout).toContain('adopted as it was')
    expect(await kernel()).toBe(before)

    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
    expect((await lab.edgepush(['status', 'push.yml', '--live'])).stdout).not.toContain('differs')
    expect(await kernel()).toBe(before)
    // Or it was our order all the time.
    for (const [first, then] of [
      ['-A EUCA_NAT_PRE -d 10.111.200.3/32', '-A EUCA_NAT_PRE -d 10.111.200.1/32'],
      ['-j sg-cccccccc', '-j sg-bbbbbbbb'],
      ['-i vn_i-0d0d0d0d', '-i vn_i-0a0a0a0a'],
      ['host node-10.111.103.4', 'host node-10.111.103.1'],
    ] as const) {
      expect(before).toContain(first)
      expect(before.indexOf(first)).toBeLessThan(before.indexOf(then))
    }
  })

  it('keeps its order in the tables that a later view does not change', async () => {
    await lab.edgepush(['adopt', 'push.yml'])
    const [nat, bridge, daemon] = await parts()
    await lab.publish({ ...world, groups: { ...world.groups, 'sg-cccccccc': ['tcp 443 from anywhere'] } })
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    expect(await node.run('iptables-save -t filter')).toContain('--dport 443')
    expect(await parts()).toEqual([nat, bridge, daemon])
  })

  it.each([
    [
      'what is established is asked for last',
      'iptables',
      'iptables -D EUCA_FILTER_FWD 1; iptables -A EUCA_FILTER_FWD -m conntrack --ctstate ESTABLISHED -j ACCEPT',
    ],
    [
      'what is dropped is dropped before the groups are asked',
      'iptables',
      'iptables -D EUCA_FILTER_FWD -m set --match-set EUCA_ALLPRIVATE dst -j DROP; iptables -I EUCA_FILTER_FWD 3 -m set --match-set EUCA_ALLPRIVATE dst -j DROP',
    ],
    [
      'the mark comes behind the translation',
      'iptables',
      'rule="EUCA_NAT_PRE -s 10.111.0.0/16 -m set --match-set EUCA_ALLPRIVATE dst -j MARK --set-xmark 0x2a"; iptables -t nat -D $rule; iptables -t nat -A $rule',
    ],
    [
      'a port accepts before its source is checked',
      'ebtables',
      'rule="-p IPv4 -i vn_i-0b0b0b0b -j ACCEPT"; ebtables -t nat -D EUCA_EBT_NAT_PRE $rule; ebtables -t nat -I EUCA_EBT_NAT_PRE $rule',
    ],
  ])('is shown and repaired when %s', async (_, artifact, command) => {
    await node.run(command)
    const refused = await lab.edgepush(['adopt', 'push.yml'])
    expect(refused.code).toBe(3)
    expect(differences(refused.stdout, artifact)).toHaveLength(2)
    const damaged = await kernel()
    expect((await lab.edgepush(['adopt', 'push.yml', '--force', 'difference'])).stdout).toContain(
      'adopted, and changed',
    )
    expect(await kernel()).not.toBe(damaged)

    const adopted = await kernel()
    await node.run(command)
    expect((await push(lab)).outcomes['nc-01']).toMatchObject({ status: 'converged', reason: `repaired: ${artifact}` })
    expect(await kernel()).toBe(adopted)
  })

  async function kernel(): Promise<string> {
    return await node.run(KERNEL)
  }

  async function parts(): Promise<readonly string[]> {
    const commands = [
      'iptables-save -t nat | grep ^-A',
      'ebtables-save | grep ^-A',
      'cat /run/eucalyptus/net/euca-dhcp.pid',
    ]
    return await Promise.all(commands.map((command) => node.run(command)))
  }

  function differences(shown: string, artifact: string): readonly string[] {
    return shown.split('\n').filter((line) => line.includes(`${artifact} -`) || line.includes(`${artifact} +`))
  }
})
