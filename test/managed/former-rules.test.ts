// What the original left in built-in chains goes with the first push; what looks nearly like it is the administrator's.

import { describe, expect, it } from 'vitest'
import { caseNodes } from '../golden/cases.ts'
import { kernelMissing } from '../kernel.ts'
import { chooseLegacy } from '../lab/use-legacy.ts'
import { applyBundles } from './apply-bundle.ts'

const missing = kernelMissing()
if (missing.length > 0) console.error(`SKIPPED: no host is taken over without ${missing.join(', ')}`)

const FOREIGN = {
  filter: [
    '-A FORWARD -s 10.1.0.0/16 -d 10.2.0.0/16 -j ACCEPT',
    '-A FORWARD ! -d 10.9.0.0/16 -p udp -j ACCEPT',
    '-A FORWARD -i eth9 -m conntrack --ctstate ESTABLISHED -j ACCEPT',
    '-A FORWARD -j msg-log',
    '-A msg-log -j LOG',
  ],
  nat: [
    '-A PREROUTING -d 10.111.1.54/32 -j DNAT --to-destination 10.9.9.9',
    '-A POSTROUTING -s 192.168.122.0/24 ! -d 192.168.122.0/24 -j MASQUERADE',
    '-A POSTROUTING -s 10.9.9.9/32 -j SNAT --to-source 10.111.1.54',
  ],
}

describe.skipIf(missing.length > 0).each(['nft', 'legacy'])('%s', (flavour) => {
  it.each([
    ['managed', 'one-cluster-two-groups', 0, []],
    ['managed-novlan', 'two-clusters-cross-references', 1, []],
    // Without an elastic address nothing says that it is the original's; it does what one of ours does anyway.
    ['managed', 'no-instances-at-all', 0, ['-A POSTROUTING -s 172.16.0.0/16 ! -d 172.16.0.0/16 -j MASQUERADE']],
  ] as const)('a controller of %s %s', (mode, name, which, stays) => {
    const [node] = caseNodes(mode, name)
      .filter(({ role }) => role === 'cc')
      .slice(which)
    if (!node) throw new Error('the case has no such controller')
    const clean = applyBundles([node.bundle], { devices: { eth0: `${node.address}/16` }, before: choose(flavour) })
    const before = [choose(flavour), load(withForeign(node.reference('iptables')))].join('\n')
    const taken = applyBundles([node.bundle], { devices: { eth0: `${node.address}/16` }, before })

    expect(taken.said).toMatch(/^state confirmed$/m)
    expect(taken.held).toMatch(/^held yes$/m)
    expect(rulesOf(taken.iptables)).toEqual(
      [...rulesOf(clean.iptables), ...FOREIGN.filter, ...FOREIGN.nat, ...stays].toSorted(),
    )
  })
})

function rulesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('-A'))
    .toSorted()
}

/** The original's state, with rules of somebody else's around and between. */
function withForeign(text: string): string {
  const [nat = '', filter = ''] = text.split('*filter\n')
  const [first = '', ...rest] = FOREIGN.filter
  return [
    `${nat}${FOREIGN.nat.join('\n')}\nCOMMIT\n*filter\n`,
    filter
      .replace(':sg-', ':msg-log -\n:sg-')
      .replace(/(?=-A FORWARD)/, `${filter.includes(':sg-') ? '' : ':msg-log -\n'}${first}\n`),
    `${rest.join('\n')}\nCOMMIT\n`,
  ].join('')
}

function load(text: string): string {
  return `iptables-restore <<'END'\n${text}END`
}

/** Which kind of tables the host's tools are of. */
function choose(flavour: string): string {
  if (flavour !== 'legacy') return ''
  return `cp -a /etc/alternatives /run/alternatives\nmount --bind /run/alternatives /etc/alternatives\n${chooseLegacy}`
}
