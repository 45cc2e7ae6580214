// Is the matrix any good? The rules of a node are broken by hand, kind by kind. Packets must show it, `status --live` must
// name what differs, and the next push must mend it. What packets do not show is what the matrix does not ask.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import { askAll, bootAll, flowsOf } from './flows.ts'
import { plugGhost, tellLies } from './lies.ts'
import { all, harden, mustPush, push } from './push.ts'
import { smallCloud } from './small-cloud.ts'
import { describeLab } from './with-lab.ts'

/** On nc-01. $a is the private address of a, $A its elastic IP, $mac_a its MAC; `forget` deletes the rule with the words. */
const sabotages: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  iptables: {
    'everything is let in first': 'iptables -I EUCA_FILTER_FWD -j ACCEPT',
    'answers are not let in': 'forget iptables filter EUCA_FILTER_FWD ESTABLISHED',
    'what instances send elsewhere is not let out': 'forget iptables filter EUCA_FILTER_FWD physdev',
    'members of a group are not let in': 'forget iptables filter sg-aaaaaaaa "match-set sg-aaaaaaaa src"',
    'a rule of a group is missing': 'forget iptables filter sg-bbbbbbbb 3306',
    'a rule lets in one port more': 'iptables -A sg-bbbbbbbb -s 192.0.2.7 -p tcp --dport 81 -j ACCEPT',
    'elastic IPs are not let in on their own node': 'forget iptables filter sg-bbbbbbbb DNAT',
    'an elastic IP leads nowhere': 'forget iptables nat EUCA_NAT_PRE $A/32',
    'an elastic IP leads to another': 'iptables -t nat -I EUCA_NAT_PRE -d $A -j DNAT --to-destination $b',
    'the node does not know an elastic IP': 'forget iptables nat EUCA_NAT_OUT $A/32',
    'an instance shows its private address': 'forget iptables nat EUCA_NAT_POST $a/32',
    'instances show elastic IPs to each other': 'forget iptables nat EUCA_NAT_PRE MARK',
    'there is no metadata service': 'forget iptables nat EUCA_NAT_PRE 8773',
  },
  ipset: {
    'no instance is of this node': 'ipset flush EUCA_NCPRIVATE',
    'instances of elsewhere are of this node': 'ipset flush EUCA_NCPRIVATE; ipset add EUCA_NCPRIVATE $f',
    'no address is private': 'ipset flush EUCA_ALLPRIVATE',
    'groups have the members of each other': 'ipset swap sg-aaaaaaaa sg-bbbbbbbb',
    'a member is missing in its group': 'ipset del sg-aaaaaaaa $d',
    'the elastic IP of a member is missing in its group': 'ipset del sg-aaaaaaaa $D',
  },
  addresses: { 'an elastic IP is not on the interface': 'ip address del $A/32 dev br0' },
  ebtables: {
    'there are no bridge rules': 'ebtables -t nat -F EUCA_EBT_NAT_PRE; ebtables -t nat -F EUCA_EBT_NAT_POST',
    'an unknown port may speak': 'forget ebtables nat EUCA_EBT_NAT_PRE "^-A EUCA_EBT_NAT_PRE -i vn_i+ -j DROP"',
    'an unknown port may listen': 'forget ebtables nat EUCA_EBT_NAT_POST "^-A EUCA_EBT_NAT_POST -o vn_i+ -j DROP"',
    'any MAC is let out': 'forget ebtables nat EUCA_EBT_NAT_PRE "PRE -s ! $mac_a"',
    'any address is let out': 'forget ebtables nat EUCA_EBT_NAT_PRE "ip-src ! $a "',
    'any ARP sender is let out': 'forget ebtables nat EUCA_EBT_NAT_PRE "arp-ip-src ! $a "',
    'any MAC is let out in ARP': 'forget ebtables nat EUCA_EBT_NAT_PRE "arp-mac-src ! $mac_a"',
    'the rule for DHCP is the original one':
      'ebtables -t nat -I EUCA_EBT_NAT_PRE -p IPv4 -i vn_i-0a0a0a0a --ip-proto udp --ip-dport 67:68 -j ACCEPT',
  },
}

const rows = Object.entries(sabotages).flatMap(([artifact, commands]) =>
  Object.entries(commands).map(([what, command]) => [what, artifact, command] as const),
)

const forget = `forget() {
  number=$("$1-save" | grep "^-A $3 " | grep -n -e "$4" | head -n 1 | cut -d : -f 1)
  "$1" -t "$2" -D "$3" "$number"
}`

describeLab('the matrix sees it, and a push mends it, when', () => {
  let lab: Lab
  let names: string

  beforeAll(async () => {
    lab = await startLab({ nodes: 2, world: smallCloud })
    await harden(lab)
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    await bootAll(lab)
    await plugGhost(lab)
    names = Object.keys(smallCloud.instances)
      .map(lab.instance)
      .map(({ id, address, publicAddress, mac }) => {
        const letter = id.slice(-1)
        return `${letter}=${address} ${letter.toUpperCase()}=${publicAddress ?? ''} mac_${letter}=${mac}\n`
      })
      .join('')
  })
  afterAll(() => lab?.stop())

  /** Bridge rules decide who may lie; all others, whose packets pass. */
  async function wrongAbout(artifact: string): Promise<readonly string[]> {
    if (artifact === 'ebtables') return await tellLies(lab, 'hardened')
    return (await askAll(lab, flowsOf(lab), { patience: 2_000 })).wrong
  }

  it('nothing is broken yet: nothing is wrong', async () => {
    for (const artifact of ['ebtables', 'iptables']) expect(await wrongAbout(artifact)).toEqual([])
  })

  it.each(rows)('%s', async (_, artifact, command) => {
    await lab.node('nc-01').run(`set -e\n${names}${forget}\n${command}`)
    expect((await wrongAbout(artifact)).length).toBeGreaterThan(0)
    const { stdout } = await lab.edgepush(['status', 'push.yml', '--live'])
    expect(stdout).toMatch(new RegExp(`^nc-01 .*but differs: ${artifact}$`, 'm'))
    const { outcomes } = await push(lab)
    expect(outcomes).toMatchObject({
      'nc-01': { status: 'converged', reason: `repaired: ${artifact}` },
      'nc-02': { status: 'unchanged' },
    })
  })

  it('everything is mended: nothing is wrong', async () => {
    for (const artifact of ['ebtables', 'iptables']) expect(await wrongAbout(artifact)).toEqual([])
    expect(await mustPush(lab)).toEqual(all(lab, 'unchanged'))
  })
})
