// One node for each thing that somebody may do to it by hand, and one push that repairs them all.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { PlacedInstance } from '../../lab/render-view.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { type Dump, dump, dumpAll, traceOf } from './dump.ts'
import { all, mustPush, type Pushed, push } from './push.ts'
import { describeLab } from './with-lab.ts'

type Sabotage = readonly [what: string, artifact: string, command: (instance: PlacedInstance) => string]

const net = '/var/run/eucalyptus/net'

const sabotages: readonly Sabotage[] = [
  ['a chain is flushed', 'iptables', () => 'iptables -F EUCA_FILTER_FWD'],
  ['a jump is deleted', 'iptables', () => 'iptables -D FORWARD -j EUCA_FILTER_FWD'],
  ['a jump stands twice', 'iptables', () => 'iptables -A FORWARD -j EUCA_FILTER_FWD'],
  [
    'jumps change places',
    'iptables',
    () => 'iptables -t nat -D OUTPUT 1 && iptables -t nat -A OUTPUT -j EUCA_NAT_OUT_PREUSERHOOK',
  ],
  ['a group lets more in', 'iptables', () => 'iptables -I sg-aaaaaaaa -j ACCEPT'],
  ['a rule of a group is deleted', 'iptables', () => 'iptables -D sg-aaaaaaaa 1'],
  [
    'rules change places',
    'iptables',
    () => 'iptables -D EUCA_FILTER_FWD 1 && iptables -A EUCA_FILTER_FWD -m conntrack --ctstate ESTABLISHED -j ACCEPT',
  ],
  [
    'a chain of an unknown group is there',
    'iptables',
    () => 'iptables -N sg-99999999 && iptables -A sg-99999999 -j ACCEPT',
  ],
  ['the translation is flushed', 'iptables', () => 'iptables -t nat -F'],
  ['the counters are flushed', 'iptables', () => 'iptables -t raw -F EUCA_RAW_PRE'],
  ['a member of a set is deleted', 'ipset', ({ address }) => `ipset del sg-aaaaaaaa ${address}`],
  ['a member of a set is added', 'ipset', () => 'ipset add EUCA_NCPRIVATE 10.9.9.9'],
  ['a set of an unknown group is there', 'ipset', () => 'ipset create sg-99999999 hash:ip'],
  ['an elastic IP is deleted', 'addresses', ({ publicAddress }) => `ip address del ${publicAddress}/32 dev br0`],
  ['an elastic IP of nobody is there', 'addresses', () => 'ip address add 10.111.200.99/32 dev br0'],
  ['the DHCP server is killed', 'dhcpd', () => `kill -9 $(cat ${net}/euca-dhcp.pid)`],
  [
    'the DHCP server is gone and its number is another process',
    'dhcpd',
    () => `kill -9 $(cat ${net}/euca-dhcp.pid); echo 1 > ${net}/euca-dhcp.pid`,
  ],
  ['the file of the DHCP server is edited', 'dhcpd', () => `sed -i s/86400/60/ ${net}/euca-dhcp.conf`],
  ['the file of the DHCP server is deleted', 'dhcpd', () => `rm ${net}/euca-dhcp.conf`],
  ['a bridge rule is deleted', 'ebtables', () => 'ebtables -t nat -D EUCA_EBT_NAT_PRE -i vn_i+ -j DROP'],
  ['a bridge jump is deleted', 'ebtables', () => 'ebtables -t nat -D POSTROUTING -j EUCA_EBT_NAT_POST'],
  ['a bridge jump stands twice', 'ebtables', () => 'ebtables -t nat -A PREROUTING -j EUCA_EBT_NAT_PRE'],
]

const nameOf = (index: number) => `nc-${String(index + 1).padStart(2, '0')}`
const idOf = (index: number) => `i-000000${index + 10}`

const world: World = {
  instances: Object.fromEntries(
    sabotages.map((_, index) => [idOf(index), { node: nameOf(index), groups: ['sg-aaaaaaaa'], public: true }]),
  ),
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere', 'tcp 80 from 10.111.200.0/24', 'icmp from anywhere'] },
}

describeLab('a node that was pushed to', () => {
  let lab: Lab
  let before: Readonly<Record<string, Dump>>

  beforeAll(async () => {
    lab = await startLab({ nodes: sabotages.length, world })
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    before = await dumpAll(lab)
  })
  afterAll(() => lab?.stop())

  it('is not touched by a push that has nothing to do', async () => {
    const traces = () => Promise.all(lab.nodes.map(traceOf))
    await lab.boot(idOf(0))
    expect(await lab.outside.tcp(lab.instance(idOf(0)).publicAddress ?? '', 22)).toMatchObject({ reached: true })
    expect(await lab.node('nc-01').run('iptables -nvxL sg-aaaaaaaa')).toMatch(/^ +[1-9]\d* +\d+ ACCEPT/m)

    const untouched = await traces()
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
    expect(await traces()).toEqual(untouched)
  })

  it('lets the node controller, which is not root, read the line that it waits for', async () => {
    const { node, address } = lab.instance(idOf(0))
    const nobody = 'setpriv --reuid=65534 --regid=65534 --clear-groups'
    const line = `grep -F 'host node-${address} ' ${net}/euca-dhcp.conf`
    expect(await lab.node(node.name).run(`${nobody} ${line}`)).toBe(`host node-${address} {\n`)
  })

  describeLab('and then changed by hand', () => {
    let status: string
    let pushed: Pushed
    let after: Readonly<Record<string, Dump>>

    beforeAll(async () => {
      const damaged = await Promise.all(
        sabotages.map(async ([what, , command], index) => {
          const node = lab.node(nameOf(index))
          const earlier = before[node.name]
          await node.run(command(lab.instance(idOf(index))))
          return [what, earlier] as const
        }),
      )
      expect(damaged).toHaveLength(sabotages.length)
      status = (await lab.edgepush(['status', 'push.yml', '--live'])).stdout
      pushed = await push(lab)
      after = await dumpAll(lab)
    })

    it.each(sabotages.map(([what, artifact], index) => ({ what, artifact, node: nameOf(index) })))(
      'is repaired when $what',
      ({ artifact, node }) => {
        const line = status.split('\n').find((text) => text.startsWith(node))
        expect(line).toMatch(new RegExp(`has [0-9a-f]{12}, but differs: ${artifact}$`))
        expect(pushed.outcomes[node]).toMatchObject({ status: 'converged', reason: `repaired: ${artifact}` })
        expect(after[node]).toEqual(before[node])
      },
    )

    it('has nothing left to repair', async () => {
      expect(pushed.code).toBe(0)
      expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
      expect((await lab.edgepush(['status', 'push.yml', '--live'])).stdout).not.toContain('differs')
    })
  })

  it('is brought back after a power cut', async () => {
    await lab.node('nc-01').reboot()
    const pushed = await push(lab, ['--node', 'nc-01'])
    expect(pushed.outcomes['nc-01']).toMatchObject({ status: 'converged' })
    expect(await dump(lab.node('nc-01'))).toEqual(before['nc-01'])
  })
})
