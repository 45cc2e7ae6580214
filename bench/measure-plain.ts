// The same content without edgepush, in an empty network namespace of the same node: as fast as its tools can load it,
// and the way eucanetd loads it.

import type { LabNode } from '../lab/make-node.ts'

const TIMEOUT = 900_000

const CLOCK = `
clock() { name=$1; shift; from=$(date +%s%N); "$@" || exit 1; echo "$name $(( ($(date +%s%N) - from) / 1000 ))"; }
cd /var/lib/edgepush/current || exit 1`

/** One call of one tool for each file. */
const PLAIN = `${CLOCK}
clock ipset ipset restore < ipset.restore
clock iptables iptables-restore < iptables.restore
clock ebtables ebtables-restore < ebtables.restore`

/** One process for each chain and rule, in the order of the file, into the tables as they grow. */
const RULE_BY_RULE = `${CLOCK}
awk '/^[*]/ { table = substr($1, 2) }
  /^:/ { print "ebtables -t " table " -N " substr($1, 2) " -P " $2 " || exit 1" }
  /^-A/ { print "ebtables -t " table " " $0 " || exit 1" }' ebtables.restore > /tmp/rule-by-rule
clock ebtables sh /tmp/rule-by-rule
[ "$(ebtables-save | grep -c '^-A')" = "$(grep -c '^-A' ebtables.restore)" ] || exit 1
echo "commands $(grep -c . /tmp/rule-by-rule)000"`

/** One address and one announcement after the other. */
const ONE_BY_ONE = `${CLOCK}
elastic() { ip addr add "$1" dev br0 && arping -q -c 1 -w 1 -U -I br0 "\${1%/32}"; return 0; }
ip link add br0 type bridge && ip link set br0 up || exit 1
for address in $(awk '$1 == "address" { print $2 }' addresses | head -n "$0"); do clock "$address" elastic "$address"; done`

/** Milliseconds of each tool's one call. */
export function loadPlain(node: LabNode): Promise<Readonly<Record<string, number>>> {
  return inEmptyNetwork(node, PLAIN)
}

/** Milliseconds of all ebtables commands, and how many they were. */
export async function loadRuleByRule(node: LabNode): Promise<{ readonly time: number; readonly commands: number }> {
  const { ebtables = 0, commands = 0 } = await inEmptyNetwork(node, RULE_BY_RULE)
  return { time: ebtables, commands }
}

/** Milliseconds of each of the first so many elastic IPs. */
export async function addOneByOne(node: LabNode, count: number): Promise<readonly number[]> {
  return Object.values(await inEmptyNetwork(node, ONE_BY_ONE, String(count)))
}

/** What its last bundle is made of. */
export async function sizesOf(node: LabNode): Promise<string> {
  const script = `cd /var/lib/edgepush/current && echo "$(grep -c '^create' ipset.restore) sets with \\
$(grep -c '^add' ipset.restore) members, $(grep -c '^-A' iptables.restore) rules, \\
$(grep -c '^-A' ebtables.restore) bridge rules, $(grep -c '^host' dhcpd.conf) hosts, \\
$(grep -c '^address' addresses) elastic IPs, $(cat ./* 2> /dev/null | wc -c) bytes; $(iptables -V)"`
  return (await node.run(script)).trim()
}

async function inEmptyNetwork(
  node: LabNode,
  script: string,
  argument = 'sh',
): Promise<Readonly<Record<string, number>>> {
  const text = await node.run(['unshare', '--net', 'sh', '-c', script, argument], { timeout: TIMEOUT })
  const pairs = text
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
  return Object.fromEntries(pairs.map(([name = '', time]) => [name, Number(time) / 1000]))
}
