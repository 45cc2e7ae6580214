// A node is its administrator's: what we did not make stays as it is, byte for byte, whatever we push.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { type Dump, dump } from './dump.ts'
import { all, mustPush, push } from './push.ts'
import { describeLab } from './with-lab.ts'

const world: World = {
  instances: {
    'i-0a0a0a0a': { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true },
    'i-0b0b0b0b': { node: 'nc-02', groups: ['sg-aaaaaaaa'] },
  },
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] },
}

/** Another group, another instance, no elastic IP. */
const changed: World = {
  instances: {
    'i-0b0b0b0b': { node: 'nc-01', groups: ['sg-bbbbbbbb'] },
    'i-0c0c0c0c': { node: 'nc-01', groups: ['sg-bbbbbbbb'] },
  },
  groups: { 'sg-bbbbbbbb': ['tcp 80 from anywhere'] },
}

const beforeUs = `
ipset create blocked hash:ip,port
ipset add blocked 192.0.2.9,tcp:25
ipset create guests hash:ip timeout 3600 comment
ipset add guests 192.0.2.10 timeout 0 comment "the sg-office printer"
ipset create my-sg-set hash:net
ipset add my-sg-set 198.51.100.0/24
iptables -P FORWARD DROP
iptables -N site
iptables -A site -m set --match-set blocked src,dst -j DROP
iptables -A site -s 198.51.100.1 -m comment --comment "EUCA_FILTER_FWD and sg-aaaaaaaa, -j DROP" -j REJECT
iptables -A FORWARD -j site
iptables -A FORWARD -s 10.98.0.0/16 -j ACCEPT
iptables -A FORWARD -s 10.98.0.0/16 -j ACCEPT
iptables -A INPUT -p tcp --dport 22 -j ACCEPT
iptables -N alone
iptables -t nat -A PREROUTING -p tcp --dport 8080 -j REDIRECT --to-ports 80
iptables -t nat -A POSTROUTING -s 10.97.0.0/16 -j MASQUERADE
iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
iptables -t raw -A PREROUTING -p udp --dport 4789 -j NOTRACK
ebtables -N site -P RETURN
ebtables -A site -p IPv6 -j DROP
ebtables -A FORWARD -j site
ebtables -A INPUT -p 0x88cc -j DROP
ebtables -t nat -A PREROUTING -s 02:99:00:00:00:01 -j DROP
ebtables -t nat -A POSTROUTING -d 02:99:00:00:00:02 -j DROP
ip address add 10.99.0.1/24 dev br0
ip address add 198.51.100.7/32 dev br0
ip address add 10.111.200.5/32 dev lo
`

/** Rules that the administrator puts around ours, and into the chains that are there for that. */
const afterUs = `
iptables -I FORWARD 1 -s 203.0.113.1 -j DROP
iptables -I FORWARD 3 -s 203.0.113.2 -j DROP
iptables -A FORWARD -s 203.0.113.3 -j DROP
iptables -A EUCA_FILTER_FWD_PREUSERHOOK -s 203.0.113.4 -j DROP
iptables -A EUCA_FILTER_FWD_POSTUSERHOOK -s 203.0.113.5 -j DROP
iptables -t nat -A EUCA_NAT_PRE_PREUSERHOOK -d 203.0.113.6 -j DNAT --to-destination 10.98.0.1
iptables -t nat -A EUCA_NAT_POST_POSTUSERHOOK -s 10.98.0.1 -j SNAT --to-source 203.0.113.6
iptables -t nat -A EUCA_NAT_OUT_PREUSERHOOK -d 203.0.113.7 -j RETURN
iptables -t nat -I POSTROUTING 2 -s 10.96.0.0/16 -j MASQUERADE
ebtables -t nat -I PREROUTING 1 -s 02:99:00:00:00:03 -j DROP
ebtables -t nat -A PREROUTING -s 02:99:00:00:00:04 -j DROP
`

const ours = [/^(:|-A )(EUCA_(?!.*USERHOOK)|sg-)/, /^(create|add) (EUCA_|sg-)/, /^br0 +inet 10\.111\.200\./]

/** What is not ours of it: our chains, sets and addresses taken away, but not the jumps to them. */
function foreign(dumped: Dump): Readonly<Record<string, readonly string[]>> {
  const parts = ['iptables', 'ipset', 'ebtables', 'addresses', 'sysctls'].map((name) => {
    const lines = (dumped[name] ?? '').split('\n')
    return [name, lines.filter((line) => !ours.some((pattern) => pattern.test(line)))] as const
  })
  return Object.fromEntries(parts)
}

const withoutJumps = (dumped: Dump) => {
  const lines = Object.entries(foreign(dumped)).map(([name, text]) => [
    name,
    text.filter((line) => !/EUCA_\w+$| EUCA_\w+ -$|^:EUCA/.test(line)),
  ])
  return Object.fromEntries(lines) as Readonly<Record<string, readonly string[]>>
}

describeLab('what a node has of its own', () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await startLab({ nodes: 2, world })
  })
  afterAll(() => lab?.stop())

  it('survives the first push', async () => {
    const node = lab.node('nc-01')
    await node.run(`set -e\n${beforeUs}`)
    const before = await dump(node)

    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    expect(withoutJumps(await dump(node))).toEqual(withoutJumps(before))
  })

  it('survives pushes that add and remove groups, instances and elastic IPs', async () => {
    const node = lab.node('nc-01')
    await node.run(`set -e\n${afterUs}`)
    const before = await dump(node)
    expect(foreign(before).iptables).toContain('-A EUCA_NAT_OUT_PREUSERHOOK -d 203.0.113.7/32 -j RETURN')
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))

    await lab.publish(changed)
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    expect((await dump(node)).iptables).not.toContain(':sg-aaaaaaaa')
    expect(foreign(await dump(node))).toEqual(foreign(before))

    await lab.publish(world)
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    expect(await dump(node)).toEqual(before)
  })

  it('survives a repair', async () => {
    const node = lab.node('nc-01')
    const before = await dump(node)
    await node.run('iptables -F EUCA_FILTER_FWD; iptables -t nat -F EUCA_NAT_PRE; ebtables -t nat -F EUCA_EBT_NAT_POST')
    expect(await mustPush(lab)).toEqual({ 'nc-01': 'converged', 'nc-02': 'unchanged' })
    expect(await dump(node)).toEqual(before)
  })

  it('keeps a chain and a set of ours that it uses, empty, and says so', async () => {
    const node = lab.node('nc-02')
    await node.run('iptables -A FORWARD -s 10.98.0.0/16 -j sg-aaaaaaaa')
    await node.run('iptables -A INPUT -m set --match-set sg-aaaaaaaa src -j ACCEPT')
    await lab.publish({ instances: {}, groups: {} })

    const { code, outcomes } = await push(lab)
    expect(code).toBe(0)
    expect(outcomes).toMatchObject({
      'nc-01': { status: 'converged', notes: [] },
      'nc-02': {
        status: 'converged',
        notes: [
          expect.stringMatching(/^the chain sg-aaaaaaaa \(filter\) is no longer wanted but .* it stays, empty$/),
          expect.stringMatching(/^the set sg-aaaaaaaa is no longer wanted but .* it stays, empty$/),
        ],
      },
    })
    const { iptables, ipset } = await dump(node)
    expect(iptables).toContain('-A FORWARD -s 10.98.0.0/16 -j sg-aaaaaaaa')
    expect(iptables).not.toContain('-A sg-aaaaaaaa')
    expect(ipset).toContain('create sg-aaaaaaaa')
    expect(ipset).not.toContain('add sg-aaaaaaaa')
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
  })

  it('gets that chain and that set back when the group returns, and loses them when it lets go of them', async () => {
    const node = lab.node('nc-02')
    await lab.publish(world)
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    expect((await dump(node)).iptables).toContain('-A sg-aaaaaaaa -p tcp -m tcp --dport 22 -j ACCEPT')

    await node.run('iptables -D FORWARD -s 10.98.0.0/16 -j sg-aaaaaaaa')
    await node.run('iptables -D INPUT -m set --match-set sg-aaaaaaaa src -j ACCEPT')
    await lab.publish({ instances: {}, groups: {} })
    const { outcomes } = await push(lab)
    expect(outcomes['nc-02']).toMatchObject({ status: 'converged', notes: [] })
    expect(JSON.stringify(await dump(node))).not.toContain('sg-aaaaaaaa')
  })
})
