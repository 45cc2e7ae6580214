// The lab that faults are tried in: nodes that carry other people's rules, and two worlds to go back and forth between.

import { readFile, writeFile } from 'node:fs/promises'
import type { Lab } from '../../../lab/make-lab.ts'
import type { Station } from '../../../lab/probes-from.ts'
import { startLab } from '../../../lab/start-lab.ts'
import type { World } from '../../../lab/world.ts'

const SIDES = ['a', 'b'] as const
export type Side = (typeof SIDES)[number]

export const otherSide: Readonly<Record<Side, Side>> = { a: 'b', b: 'a' }

/** On every node: an instance that changes its group, an elastic IP that changes its instance, one that comes and goes. */
export function worlds(nodes: number): Readonly<Record<Side, World>> {
  const names = Array.from({ length: nodes }, (_, index) => `nc-${String(index + 1).padStart(2, '0')}`)
  const world = (side: Side): World => ({
    instances: Object.fromEntries(names.flatMap((node, index) => instancesOf(node, index, side))),
    groups: {
      [`sg-${side.repeat(8)}`]: ['tcp 22 from anywhere'],
      'sg-cccccccc': [side === 'a' ? 'tcp 80 from anywhere' : 'tcp 8080 from anywhere'],
    },
  })
  return { a: world('a'), b: world('b') }
}

function instancesOf(node: string, index: number, side: Side) {
  const number = String(index).padStart(6, '0')
  const elastic = (here: Side) => (here === side ? { public: `10.111.200.${(here === 'a' ? 1 : 101) + index}` } : {})
  return [
    [`i-0a${number}`, { node, groups: [`sg-${side.repeat(8)}`], ...elastic('a') }],
    [`i-0b${number}`, { node, groups: ['sg-cccccccc'], ...elastic('b') }],
    [`i-${side === 'a' ? '1a' : '1b'}${number}`, { node, groups: [`sg-${side.repeat(8)}`] }],
  ] as const
}

/** What others have on a node; the full dumps of old and new contain it. */
const FOREIGN = `
ipset create blocked hash:ip,port
ipset add blocked 192.0.2.9,tcp:25
iptables -N site
iptables -A site -m set --match-set blocked src,dst -j DROP
iptables -A site -s 198.51.100.1 -m comment --comment "EUCA_FILTER_FWD and sg-aaaaaaaa, -j DROP" -j REJECT
iptables -A FORWARD -j site
iptables -A INPUT -p tcp --dport 2222 -j ACCEPT
iptables -t nat -A POSTROUTING -s 10.97.0.0/16 -j MASQUERADE
iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu
iptables -t raw -A PREROUTING -p udp --dport 4789 -j NOTRACK
ebtables -N site -P RETURN
ebtables -A FORWARD -j site
ebtables -t nat -A PREROUTING -s 02:99:00:00:00:01 -j DROP
ip address add 10.99.0.1/24 dev br0
ip address add 198.51.100.7/32 dev br0
echo 1 > /proc/sys/net/ipv4/conf/br0/proxy_arp`

/** After every start of the node. */
export async function makeForeign(node: Station): Promise<void> {
  await node.run(`set -e\n${FOREIGN}`)
}

/** Byte for byte, with the counters of rules that no packet meets. */
export async function foreign(node: Station): Promise<string> {
  return await node.run(`
    ipset save blocked
    for table in filter nat mangle raw; do iptables-save -c -t $table | grep -E '(-A |:)site|-A (FORWARD|INPUT|POSTROUTING|PREROUTING) -[^j]'; done
    for table in filter nat; do ebtables-save | grep -E '^:|site|02:99'; done | grep -v EUCA_
    ip -4 -o address show | grep -v /32 | sort; ip -4 -o address show | grep 198.51.100.7
    cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/bridge/bridge-nf-call-iptables /proc/sys/net/ipv4/conf/br0/proxy_arp`)
}

/** A lab of `nodes` whose windows are `window`, with world a published. */
export async function startGround(nodes: number, window: string): Promise<Lab> {
  const lab = await startLab({ nodes, world: worlds(nodes).a })
  const playbook = await readFile(lab.files.playbook, 'utf8')
  await writeFile(lab.files.playbook, playbook.replace(/ }$/m, `, window: ${window} }`))
  await Promise.all(lab.nodes.map(makeForeign))
  return lab
}
