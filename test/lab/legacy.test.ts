// Nodes whose iptables are those of before nftables: everything is as on the others.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabNode } from '../../lab/make-node.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { dump, dumpAll, shown, traceOf } from './dump.ts'
import { expectPackets, idOf } from './packets.ts'
import { all, mustPush, push } from './push.ts'
import { breakTool, mendTools } from './sabotage.ts'
import { useLegacy } from './use-legacy.ts'
import { describeLab } from './with-lab.ts'

const world: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('b')]: { node: 'nc-01', groups: ['sg-aaaaaaaa', 'sg-bbbbbbbb'] },
    [idOf('c')]: { node: 'nc-02', groups: ['sg-bbbbbbbb'], public: true },
    [idOf('d')]: { node: 'nc-03', groups: ['sg-cccccccc'] },
  },
  groups: {
    'sg-aaaaaaaa': ['tcp 22 from anywhere', 'tcp 3306 from sg-bbbbbbbb', 'tcp 8000-8010 from 10.111.200.0/24'],
    'sg-bbbbbbbb': ['tcp 80 from 192.0.2.7', 'icmp from anywhere'],
    'sg-cccccccc': [],
  },
}

const foreign = `
iptables -P FORWARD DROP
iptables -N site
iptables -A site -m comment --comment "sg-aaaaaaaa, -j DROP" -s 198.51.100.1 -j DROP
iptables -A FORWARD -g site
iptables -A FORWARD -s 10.98.0.0/16 -j ACCEPT
iptables -A FORWARD -s 10.98.0.0/16 -j ACCEPT
iptables -N alone
iptables -A FORWARD -j ACCEPT
iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
iptables -t nat -A POSTROUTING -s 10.97.0.0/16 -j MASQUERADE`

/** What says whose tools a node has, and the jumps into our chains. */
const rules = (text = '') => text.split('\n').filter((line) => !/^#|EUCA_|sg-[a-c]{8}( |$)/.test(line))

describeLab('nodes with iptables-legacy', () => {
  let lab: Lab
  let node: LabNode

  beforeAll(async () => {
    lab = await startLab({ nodes: 3, world })
    node = lab.node('nc-01')
    await useLegacy(lab)
    await node.run(`set -e\n${foreign}`)
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    await Promise.all(Object.keys(world.instances).map((id) => lab.boot(id)))
  })
  afterAll(() => lab?.stop())

  it('hold their rules there, and none in nftables', async () => {
    expect(await node.run('iptables-legacy-save -t filter')).toContain('-A EUCA_FILTER_FWD ')
    expect(await node.run('iptables-nft-save 2> /dev/null')).not.toContain('EUCA_')
  })

  // The whole table is in packets.test.ts; here the FORWARD chain has rules of somebody else and drops the rest.
  it('let packets through and drop them beside the rules of others', () =>
    expectPackets(
      lab,
      `
      b        a         tcp 23     a sees b
      b        c         tcp 22     c sees b
      c        a         tcp 3306   a sees c
      c        a         tcp 23     dropped
      c        b         icmp       answered
      a        c         icmp       answered
      a        c         tcp 22     dropped
      d        a         tcp 22     a sees d
      a        d         tcp 22     dropped
      outside  eip-a     tcp 22     a sees outside
      outside  eip-a     tcp 23     dropped
      outside  eip-c     tcp 80     c sees outside
      outside  eip-c     tcp 81     dropped
      a        outside   tcp 443    outside sees eip-a
      b        outside   tcp 443    outside sees b
      c        eip-a     tcp 8005   a sees eip-c
      a        eip-a     tcp 8005   a sees eip-a
      d        eip-a     tcp 8005   dropped
      a        metadata  tcp 80     clc-01 sees eip-a
      d        metadata  tcp 80     clc-01 sees d
      `,
    ))

  it('are not touched by a push that has nothing to do', async () => {
    const before = await Promise.all(lab.nodes.map(traceOf))
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
    expect(await Promise.all(lab.nodes.map(traceOf))).toEqual(before)
  })

  it.each([
    'iptables -F EUCA_FILTER_FWD',
    'iptables -t nat -F',
    'iptables -I sg-bbbbbbbb -j ACCEPT',
    'iptables -D FORWARD -j EUCA_FILTER_FWD',
    'iptables -N sg-99999999 && iptables -A sg-99999999 -j ACCEPT',
    'iptables -t raw -F EUCA_RAW_PRE',
  ])('are repaired after %s', async (command) => {
    const damaged = lab.node('nc-02')
    const before = await dump(damaged)
    await damaged.run(command)
    const { outcomes } = await push(lab)
    expect(outcomes['nc-02']).toMatchObject({ status: 'converged', reason: 'repaired: iptables' })
    expect(await dump(damaged)).toEqual(before)
  })

  it('keep the rules of others, also when groups move and their sets are copied meanwhile', async () => {
    const before = rules((await dump(node)).iptables)
    expect(before).toContain('-A FORWARD -g site')
    expect(before.filter((line) => line === '-A FORWARD -s 10.98.0.0/16 -j ACCEPT')).toHaveLength(2)
    expect(before).toContain(':alone -')

    const moved = { [idOf('a')]: { node: 'nc-01', groups: ['sg-bbbbbbbb'], public: true } } as const
    await lab.publish({ ...world, instances: { ...world.instances, ...moved } })
    // The filter is written twice: first on copies of the sets. The third table would be written next.
    await breakTool(node, 'iptables-restore', 'fails', { fine: 1000 })
    expect(await mustPush(lab)).toMatchObject({ 'nc-01': 'converged' })
    expect(Number(await node.run('wc -l < /tmp/wrapped/calls'))).toBeGreaterThanOrEqual(2)
    await mendTools(node)

    expect(rules((await dump(node)).iptables)).toEqual(before)
    expect(await shown(node)).not.toMatch(/\+[12] /)
    await expectPackets(
      lab,
      `
      outside  eip-a     tcp 80     a sees outside
      outside  eip-a     tcp 22     dropped
      a        c         tcp 9999   c sees a
      a        d         tcp 22     dropped
      `,
    )
  })

  it('count for the meter', async () => {
    const { stdout } = await lab.edgepush(['meter', 'push.yml', '--format', 'csv', '--node', 'nc-01'])
    expect(stdout).toMatch(
      new RegExp(`,nc-01,${idOf('a')},[\\d.]+,public,[1-9]\\d*,[1-9]\\d*,[1-9]\\d*,[1-9]\\d*$`, 'm'),
    )
  })

  it('go back when a table cannot be written', async () => {
    const before = await dump(node)
    await lab.publish(world)
    await breakTool(node, 'iptables-restore', 'fails', { fine: 1 })
    const { code, outcomes } = await push(lab)
    await mendTools(node)
    expect([code, outcomes['nc-01']?.status]).toEqual([5, 'rolled-back'])
    expect(await dump(node)).toEqual(before)
    await mustPush(lab)
  })

  it('hold nothing of ours after a flush, and what is not ours', async () => {
    const before = rules((await dump(node)).iptables)
    expect((await lab.edgepush(['flush', 'push.yml'])).code).toBe(0)
    for (const { iptables, ipset, ebtables, addresses } of Object.values(await dumpAll(lab))) {
      expect(`${iptables}${ipset}${ebtables}`).not.toMatch(/EUCA_|[^"]sg-|vn_/)
      expect(addresses).not.toContain('10.111.200.')
    }
    expect(rules((await dump(node)).iptables)).toEqual(before)
  })
})
