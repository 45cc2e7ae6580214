// What a node holds, whoever put it there: for "nothing of it was changed".

import type { Lab } from '../../lab/make-lab.ts'
import type { Station } from '../../lab/probes-from.ts'

export type Dump = Readonly<Record<string, string>>

const dhcpd = '/var/run/eucalyptus/net/euca-dhcp'

/** Without comments and counters, and without what the kernel chose for a set by itself. */
const holdings: Readonly<Record<string, string>> = {
  iptables: "iptables-save | sed -e '/^#/d' -e 's/ \\[[0-9]*:[0-9]*\\]$//'",
  ipset: "ipset save | sed -E 's/ (hashsize|bucketsize|initval) [^ ]+//g' | sort",
  ebtables: "ebtables-save | sed '/^#/d'",
  addresses: "ip -4 -o address show | sed 's/^[0-9]*: *//' | sort",
  routes: "ip route show table all | sed 's/ linkdown//'",
  dhcpd: `cat ${dhcpd}.conf`,
  daemon: "ps -eo args | grep '^[^ ]*dhcpd .*euca-dhcp'",
  sysctls: 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/bridge/bridge-nf-call-iptables',
}

/** What shows that somebody touched something, even if it is as it was. */
const traces: Readonly<Record<string, string>> = {
  sets: 'ipset save | grep ^create | sort',
  'dhcpd process': `cut -d ' ' -f 1,22 /proc/$(cat ${dhcpd}.pid)/stat`,
  'dhcpd file': `stat -c '%i %y %z' ${dhcpd}.conf`,
  state: "find /var/lib/edgepush -printf '%p %i %s %T@ %C@ %l\\n' | sort",
  'filter counters': "iptables-save -c -t filter | grep -E 'EUCA|sg-'",
}

export async function dump(node: Station): Promise<Dump> {
  return await sections(node, holdings)
}

export async function traceOf(node: Station): Promise<Dump> {
  return await sections(node, { ...holdings, ...traces })
}

export async function dumpAll(lab: Lab): Promise<Readonly<Record<string, Dump>>> {
  return Object.fromEntries(await Promise.all(lab.nodes.map(async (node) => [node.name, await dump(node)] as const)))
}

/** What of edgepush a node holds, in the words of the bundle's own script. */
export async function shown(node: Station): Promise<string> {
  return await node.run('sh /var/lib/edgepush/current/apply.sh show')
}

async function sections(node: Station, commands: Readonly<Record<string, string>>): Promise<Dump> {
  const script = Object.entries(commands).map(([name, command]) => `echo '=== ${name}'\n( ${command} ) 2>&1`)
  const text = await node.run(`${script.join('\n')}\n:`)
  const bodies = text.split(/^=== .*\n/m).slice(1)
  return Object.fromEntries(Object.keys(commands).map((name, index) => [name, bodies[index] ?? '']))
}
