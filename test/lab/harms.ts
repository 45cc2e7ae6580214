// What somebody may do to a node by hand, and what edgepush drift says of it.

import { expect } from 'vitest'
import type { PlacedInstance } from '../../lab/render-view.ts'

/** What a person reads: the lines under the name of the artifact, `-` what should not be there, `+` what is missing. */
type Harm = readonly [what: string, command: (instance: PlacedInstance) => string, told: Told]
type Told = (instance: PlacedInstance) => Readonly<Record<string, readonly string[]>>

const net = '/var/run/eucalyptus/net'

export const harms: readonly Harm[] = [
  [
    'a rule is added to a chain of ours',
    () => 'iptables -I sg-aaaaaaaa -s 192.0.2.99 -j ACCEPT',
    () => ({ iptables: ['- -A sg-aaaaaaaa -s 192.0.2.99/32 -j ACCEPT'] }),
  ],
  [
    'a rule is deleted',
    () => 'iptables -D sg-aaaaaaaa -p tcp --dport 22 -j ACCEPT',
    () => ({ iptables: ['+ -A sg-aaaaaaaa -p tcp -m tcp --dport 22 -j ACCEPT'] }),
  ],
  [
    'a jump is deleted',
    () => 'iptables -D FORWARD -j EUCA_FILTER_FWD',
    () => ({ iptables: ['+ -A FORWARD -j EUCA_FILTER_FWD'] }),
  ],
  [
    'a jump stands twice',
    () => 'iptables -A FORWARD -j EUCA_FILTER_FWD',
    () => ({ iptables: ['- -A FORWARD -j EUCA_FILTER_FWD'] }),
  ],
  [
    'a chain of an unknown group is there',
    () => 'iptables -N sg-99999999',
    () => ({ iptables: ['- :sg-99999999 - [0:0]'] }),
  ],
  [
    'a member of a set is added',
    () => 'ipset add sg-aaaaaaaa 10.9.9.9',
    () => ({ ipset: ['- add sg-aaaaaaaa 10.9.9.9'] }),
  ],
  [
    'a member of a set is deleted',
    ({ address }) => `ipset del EUCA_NCPRIVATE ${address}`,
    ({ address }) => ({ ipset: [`+ add EUCA_NCPRIVATE ${address}`] }),
  ],
  [
    'a set is destroyed',
    () => 'ipset destroy EUCA_VERSION',
    () => ({
      ipset: [
        expect.stringMatching(/^\+ create EUCA_VERSION hash:net family inet/),
        expect.stringMatching(/^\+ add EUCA_VERSION 5\.1\.0/),
      ],
    }),
  ],
  [
    'an elastic IP is deleted',
    ({ publicAddress }) => `ip address del ${publicAddress}/32 dev br0`,
    ({ publicAddress }) => ({ addresses: [`+ address ${publicAddress}/32 dev br0`] }),
  ],
  [
    'an elastic IP of nobody is there',
    () => 'ip address add 10.111.200.99/32 dev br0',
    () => ({ addresses: ['- address 10.111.200.99/32 dev br0'] }),
  ],
  [
    'a bridge rule is added',
    () => 'ebtables -t nat -I EUCA_EBT_NAT_PRE -p IPv6 -j ACCEPT',
    () => ({ ebtables: ['- -A EUCA_EBT_NAT_PRE -p IPv6 -j ACCEPT'] }),
  ],
  [
    'a bridge rule is deleted',
    () => 'ebtables -t nat -D EUCA_EBT_NAT_PRE -i vn_i+ -j DROP',
    () => ({ ebtables: ['+ -A EUCA_EBT_NAT_PRE -i vn_i+ -j DROP'] }),
  ],
  [
    'the file of the DHCP server is edited',
    () => `sed -i 's/^max-lease-time .*/max-lease-time 60;/' ${net}/euca-dhcp.conf`,
    () => ({ dhcpd: ['- max-lease-time 60;', expect.stringMatching(/^\+ max-lease-time \d{3,};$/)] }),
  ],
  [
    'the DHCP server is dead',
    () => `kill -9 $(cat ${net}/euca-dhcp.pid)`,
    () => ({ dhcpd: ['+ a daemon answers on br0'] }),
  ],
  [
    'the placeholder is dead',
    () => 'kill -9 $(cat /run/eucalyptus/eucanetd.pid)',
    () => ({ placeholder: ['+ it runs, and eucanetd.pid names it'] }),
  ],
  [
    'several things are done',
    () => 'iptables -I sg-aaaaaaaa -j ACCEPT; ipset add sg-aaaaaaaa 10.9.9.9',
    () => ({ ipset: ['- add sg-aaaaaaaa 10.9.9.9'], iptables: ['- -A sg-aaaaaaaa -j ACCEPT'] }),
  ],
  [
    'something of its own is added, around ours',
    () => `
      ipset create my-sg-set hash:ip && ipset add my-sg-set 10.9.9.9
      iptables -I FORWARD -s 203.0.113.1 -j DROP && iptables -N site && iptables -A FORWARD -j site
      iptables -A EUCA_FILTER_FWD_PREUSERHOOK -s 203.0.113.4 -j DROP
      ebtables -t nat -I PREROUTING -s 02:99:00:00:00:03 -j DROP
      ip address add 198.51.100.7/32 dev br0`,
    () => ({}),
  ],
  ['nothing is done', () => ':', () => ({})],
]
