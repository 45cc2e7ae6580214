/** Two texts have the same normal form when nothing but an order without meaning is between them, and only then. */

import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { DHCPD, EBTABLES, IPTABLES } from '../../src/artifacts/alike.ts'
import { compile } from '../../src/bundle/compile.ts'
import type { Cluster, View } from '../../src/view/view.ts'
import { anyAsked, taskOf } from '../bundle/any-task.ts'
import { textOf } from '../bundle/rule-set.ts'
import { canonical, normal } from './normal-form.ts'

const SET = '-m set --match-set'
const GROUPS = ['sg-aaaaaaaa', 'sg-bbbbbbbb', 'EUCA_FILTER_FWD_DROPPED'] as const
const LAST = '-j DNAT --to-destination 10.0.0.1'

test.each([
  [true, 'two elastic addresses', `-d 10.1.0.1/32 ${LAST}`, '-d 10.1.0.2/32 -j DNAT --to-destination 10.0.0.2'],
  [
    true,
    'one and the metadata service',
    `-d 10.1.0.1/32 ${LAST}`,
    `-d 169.254.169.254/32 -p tcp -m tcp --dport 80 ${LAST}:8773`,
  ],
  [
    false,
    'two translations of one address',
    `-d 10.1.0.1/32 ${LAST}`,
    '-d 10.1.0.1/32 -j DNAT --to-destination 10.0.0.2',
  ],
  [
    false,
    'the mark and a translation',
    `-s 10.0.0.0/16 ${SET} ALL dst -j MARK --set-xmark 0x2a/0xffffffff`,
    `-d 10.1.0.1/32 ${LAST}`,
  ],
  [true, 'two sources', '-s 10.0.0.1/32 -j SNAT --to-source 10.1.0.1', '-s 10.0.0.2/32 -j SNAT --to-source 10.1.0.2'],
  [
    false,
    'two translations of one source',
    '-s 10.0.0.1/32 -j SNAT --to-source 10.1.0.1',
    '-s 10.0.0.1/32 -j SNAT --to-source 10.1.0.2',
  ],
  [false, 'a source and all of them', '-s 10.0.0.1/32 -j SNAT --to-source 10.1.0.1', '-s 10.0.0.0/16 -j MASQUERADE'],
  [true, 'two counters', '-d 10.0.0.1/32', `-d 10.0.0.1/32 ${SET} ALL src`],
  [true, 'two that accept', '-p tcp -m tcp --dport 22 -j ACCEPT', '-s 10.0.0.0/8 -j ACCEPT'],
  [false, 'one that accepts and one that drops', '-p tcp -m tcp --dport 22 -j ACCEPT', '-s 10.0.0.0/8 -j DROP'],
  [false, 'one that accepts and a group', '-m conntrack --ctstate ESTABLISHED -j ACCEPT', `-j ${GROUPS[0]}`],
  [true, 'two groups', `${SET} ${GROUPS[0]} dst -j ${GROUPS[0]}`, `${SET} ${GROUPS[1]} dst -j ${GROUPS[1]}`],
  [false, 'a group and a chain that counts', `-j ${GROUPS[0]}`, `-j ${GROUPS[2]}`],
  [false, 'two jumps to nobody knows what', '-j EUCA_FILTER_FWD_PREUSERHOOK', '-j EUCA_FILTER_FWD_POSTUSERHOOK'],
  [false, 'two that accept, one of them so often', '-s 10.0.0.1/32 -j ACCEPT', '-m limit --limit 1/sec -j ACCEPT'],
  [
    false,
    'two words of somebody else',
    '-m comment --comment "-j ACCEPT" -j LOG',
    '-m comment --comment "-j ACCEPT" -j NFLOG',
  ],
])('it is %s of %s that they may change places', (expected, _, one, other) => {
  const text = (...rules: readonly string[]) => {
    const asked = [`${GROUPS[0]} -j ACCEPT`, `${GROUPS[1]} -s 10.0.0.0/8 -j ACCEPT`, `${GROUPS[2]} -s 10.0.0.0/8`]
    return `*filter\n${[...rules.map((rule) => `EUCA ${rule}`), ...asked].map((rule) => `-A ${rule}\n`).join('')}COMMIT\n`
  }
  expect(normal(IPTABLES, text(one, other)) === normal(IPTABLES, text(other, one))).toBe(expected)
})

const BRIDGE_RULES = [
  ...[
    '-i vn_a -s ! 02:00:00:00:00:01 -j DROP',
    '-p ARP -i vn_a -j DROP',
    '-p IPv4 -i vn_b -j ACCEPT',
    '-i vn_c -j DROP',
  ],
  ...['-i vn_+ -j DROP', '-i ! vn_a -j ACCEPT', '! -i vn_b -j ACCEPT', '-p ARP -j DROP', '-o vn_a -j DROP'],
]

test('bridge rules for different ports may change places, and no others', () => {
  for (const one of BRIDGE_RULES) {
    for (const other of BRIDGE_RULES.filter((rule) => rule !== one)) {
      const ports = [one, other].map((rule) => /^(?:-p \S+ )?-i (vn_[abc])/.exec(rule)?.[1])
      const expected = ports[0] !== undefined && ports[1] !== undefined && ports[0] !== ports[1]
      const text = (rules: readonly string[]) => rules.map((rule) => `-A EUCA_EBT_NAT_PRE ${rule}\n`).join('')
      const same = normal(EBTABLES, text([one, other])) === normal(EBTABLES, text([other, one]))
      expect([one, other, same]).toEqual([one, other, expected])
    }
  }
})

describe('hosts of the DHCP server', () => {
  const host = (name: string, mac: string, address: string) =>
    `\nhost ${name} {\n  hardware ethernet ${mac};\n  fixed-address ${address};\n}\n`
  const [a, b, c] = [host('a', 'AA', '10.0.0.1'), host('b', 'BB', '10.0.0.2'), host('c', 'CC', '10.0.0.3')]
  const conf = (...hosts: readonly string[]) =>
    `shared-network euca {\nsubnet 10.0.0.0 {\n  option routers x;\n}\n${hosts.join('')}}\n#= a daemon answers\n`

  it.each([
    ['in another order', [c, a, b], true],
    ['without one of them', [a, b], false],
    ['one of them twice', [a, b, c, c], false],
    ['with an address changed', [a, b, host('c', 'CC', '10.0.0.4')], false],
    ['with addresses exchanged', [host('a', 'AA', '10.0.0.2'), host('b', 'BB', '10.0.0.1'), c], false],
  ])('%s', (_, hosts, expected) => {
    expect(normal(DHCPD, conf(...hosts)) === normal(DHCPD, conf(a, b, c))).toBe(expected)
  })

  it.each([
    ['a MAC', host('d', 'AA', '10.0.0.4')],
    ['an address', host('d', 'DD', '10.0.0.1')],
  ])('keep their places when two have %s in common', (_, d) => {
    expect(normal(DHCPD, conf(a, d))).not.toBe(normal(DHCPD, conf(d, a)))
  })

  it('are not moved out of the network that they are in', () => {
    expect(normal(DHCPD, `${a}${conf(b)}`)).not.toBe(normal(DHCPD, `${b}${conf(a)}`))
  })
})

/** With every instance on the node that is asked. */
const anyCrowded = anyAsked
  .filter(({ view }) => view.instances.length > 2)
  .map((asked) => {
    const ids = asked.view.instances.map(({ id }) => id)
    const crowd = (node: Cluster['nodes'][number]) => ({
      ...node,
      instances: node.name === asked.node.address ? ids : [],
    })
    const clusters = asked.view.clusters.map((cluster) => ({ ...cluster, nodes: cluster.nodes.map(crowd) }))
    return { ...asked, view: { ...asked.view, clusters } }
  })

/** Its instances, and those of each node. */
function reversed(view: View): View {
  const clusters = view.clusters.map((cluster) => ({
    ...cluster,
    nodes: cluster.nodes.map((node) => ({ ...node, instances: node.instances.toReversed() })),
  }))
  return { ...view, clusters, instances: view.instances.toReversed() }
}

test('the instances of any view may be in any order', () => {
  const reordered = { 'iptables.restore': 0, 'ebtables.restore': 0, 'dhcpd.conf': 0 }
  fc.assert(
    fc.property(anyCrowded, (asked) => {
      const view = reversed(asked.view)
      const [ours, theirs] = [compile(taskOf(asked)), compile(taskOf({ ...asked, view }))]
      const { NC_PROXY, DISABLE_L2_ISOLATION } = asked.node.options
      for (const file of ['iptables.restore', 'ebtables.restore', 'dhcpd.conf'] as const) {
        // Whether a forged request is answered hangs on it there.
        if (file === 'ebtables.restore' && NC_PROXY === 'Y' && DISABLE_L2_ISOLATION === 'N') continue
        const [mine, other] = [textOf(ours, file), textOf(theirs, file)]
        if (mine !== other) reordered[file]++
        expect(ALIKE[file](other)).toBe(ALIKE[file](mine))
      }
    }),
    { numRuns: 60 },
  )
  // As chance would have it; without any, nothing would be shown.
  expect(Math.min(...Object.values(reordered))).toBeGreaterThan(3)
}, 120_000)

const ALIKE = {
  'iptables.restore': (text: string) => normal(IPTABLES, canonical(text)),
  'ebtables.restore': (text: string) => normal(EBTABLES, text.replace(/^(#.*)?\n/gm, '')),
  'dhcpd.conf': (text: string) => normal(DHCPD, text),
}
