/** Broken and odd documents: what is said about each, and how that compares with what eucanetd 5.1 does with it. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { servedView } from '../../src/commands/served-view.ts'
import { EXIT, Refusal } from '../../src/error.ts'
import { type Finding, parseView, STRICT } from '../../src/view/parse.ts'
import { kernelMissing, lines } from '../kernel.ts'
import { fileOf, loadBundle, renderEverywhere } from './render-everywhere.ts'

const FOLDER = join(import.meta.dirname, 'samples/malformed')

const FILES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.xml'))
  .sort()

/** One line for each finding, `!` before an error; nothing for a document that is read without one. */
const FINDINGS: Readonly<Record<string, readonly string[]>> = {
  '002-truncated-cut-in-half.xml': ['! view.xml:115:1: unclosed tag: instance'],
  '012-default-namespace-on-root.xml': ['! view.xml:2:59: a namespace is not accepted (on <network-data>)'],
  '014-mode-missing.xml': [
    '! view.xml:3 configuration: mode is missing, as it is in every view before 4.2: say it, --mode NAME',
  ],
  '018-two-mode-values-edge-vpcmido.xml': ['! view.xml:5 configuration: mode has more than one value'],
  '020-enabledclcip-empty-value.xml': ['! view.xml:10 configuration: enabledCLCIp is missing'],
  '022-enabledclcip-0-0-0-0.xml': ['! view.xml:11 configuration: enabledCLCIp "0.0.0.0" is not a usable IPv4 address'],
  '024-instancednsservers-missing.xml': ['! view.xml:3 configuration: instanceDNSServers is missing'],
  '026-publicips-missing.xml': [
    'view.xml:106 instance i-04c1d8aa: public address 203.0.113.16 is not in publicIps',
    'view.xml:125 instance i-26e3facc: public address 203.0.113.17 is not in publicIps',
    'view.xml:144 instance i-48051cee: public address 203.0.113.18 is not in publicIps',
  ],
  '028-publicips-reversed-range.xml': [
    '! view.xml:8 configuration: publicIps "203.0.113.79-203.0.113.16" is not an IPv4 address or a range of them, first-last',
  ],
  '030-publicips-empty-property.xml': [
    'view.xml:107 instance i-04c1d8aa: public address 203.0.113.16 is not in publicIps',
    'view.xml:126 instance i-26e3facc: public address 203.0.113.17 is not in publicIps',
    'view.xml:145 instance i-48051cee: public address 203.0.113.18 is not in publicIps',
  ],
  '032-no-clusters.xml': [
    'view.xml:3 configuration: there is no cluster',
    'view.xml:35 instance i-04c1d8aa: is on no node',
    'view.xml:45 instance i-15d2e9bb: is on no node',
    'view.xml:54 instance i-26e3facc: is on no node',
    'view.xml:64 instance i-37f40bdd: is on no node',
    'view.xml:73 instance i-48051cee: is on no node',
  ],
  '034-cluster-empty-name.xml': ['! view.xml:33 cluster: name is missing'],
  '036-cluster-enabledccip-missing.xml': ['! view.xml:33 cluster az-one: enabledCCIp is missing'],
  '038-cluster-macprefix-missing.xml': ['! view.xml:33 cluster az-one: macPrefix is missing'],
  '046-cluster-without-nodes.xml': [
    'view.xml:33 cluster az-one: has no nodes',
    'view.xml:98 instance i-04c1d8aa: is on no node',
    'view.xml:108 instance i-15d2e9bb: is on no node',
  ],
  '048-same-instance-listed-on-two-nodes.xml': [
    '! view.xml:60 node 10.20.0.32: instance i-04c1d8aa is also on node 10.20.0.31 (line 55)',
  ],
  '052-instance-without-ownerid.xml': ['! view.xml:109 instance i-04c1d8aa: ownerId is missing'],
  '054-instance-with-bad-macaddress.xml': ['! view.xml:111 instance i-04c1d8aa: macAddress "xx" is not a MAC address'],
  '058-two-instances-same-publicip.xml': [
    '! view.xml:128 instance i-26e3facc: address 203.0.113.16 is also that of instance i-04c1d8aa (line 109)',
  ],
  '060-instance-without-privateip.xml': ['! view.xml:109 instance i-04c1d8aa: privateIp is missing'],
  '062-instance-privateip-outside-subnet.xml': [
    'view.xml:109 instance i-04c1d8aa: private address 10.99.0.1 is not in 172.20.4.0/24 of cluster az-one',
  ],
  '064-instance-empty-name.xml': ['! view.xml:109 instance: name is missing'],
  '066-duplicate-instance-element.xml': ['! view.xml:127 instance i-15d2e9bb: is there twice, also in line 119'],
  '068-instance-names-group-not-in-securitygroups.xml': [
    '! view.xml:109 instance i-04c1d8aa: is in group sg-deadbeef, which is not in the view',
  ],
  '070-group-without-ownerid.xml': ['! view.xml:162 group sg-3c5d7e91: ownerId is missing'],
  '074-legacy-rule-unparsable.xml': [
    'view.xml:164 group sg-3c5d7e91: has 4 rules as text but 3 structured ones; only the structured ones count',
  ],
  '076-ingress-rule-bad-cidr.xml': [
    '! view.xml:174 group sg-3c5d7e91 rule 1: cidr "300.1.1.1/99" is not an IPv4 network',
  ],
  '080-ingress-rule-protocol-name-tcp.xml': [
    '! view.xml:171 group sg-3c5d7e91 rule 1: protocol "tcp" is not the number of a protocol (1 to 255)',
  ],
  '082-ingress-rule-refers-to-unknown-group.xml': [
    'view.xml:199 group sg-b2a49f08 rule 1: names group sg-deadbeef, which is not in the view; it lets nothing in',
  ],
  '094-doctype-with-internal-entity.xml': ['! view.xml:2:50: a document type is not accepted'],
  '098-managed-segmentsize-8.xml': [
    '! view.xml:34 managedSubnet 172.18.0.0: segmentSize "8" is not a power of two between 16 and 2048',
  ],
  '100-managed-minvlan-1.xml': ['! view.xml:28 managedSubnet 172.18.0.0: minVlan "1" is not a VLAN tag, 2 to 4095'],
}

/** Where our verdict is another than that of eucanetd 5.1, and why. */
const WHY: Readonly<Record<string, string>> = {
  '006-processing-instruction-before-root.xml': 'accepted: it says nothing about the network',
  '016-mode-with-spaces.xml': 'accepted: blanks around a value mean nothing, here as elsewhere',
  '018-two-mode-values-edge-vpcmido.xml':
    'refused: it takes the last; nothing says which counts, and the mode is everything',
  '028-publicips-reversed-range.xml':
    'refused: it leaves the range out, and with it what tells our addresses from others',
  '048-same-instance-listed-on-two-nodes.xml':
    'refused: it takes the last node; the other would announce the same address',
  '054-instance-with-bad-macaddress.xml': 'refused: it cuts the instance off without a word',
  '058-two-instances-same-publicip.xml': 'refused: one instance would get the traffic of the other',
  '066-duplicate-instance-element.xml': 'refused: nothing says which of the two is right',
  '068-instance-names-group-not-in-securitygroups.xml': 'refused: it drops the traffic of the instance without a word',
  '076-ingress-rule-bad-cidr.xml': 'refused: it reads 127.0.0.1, and the node gets no update any more',
  '080-ingress-rule-protocol-name-tcp.xml': 'refused: it reads protocol 0, and the node gets no update any more',
  '102-baseline-vpcmido.xml': 'refused: a mode that is not served yet',
  '108-vpc-eni-without-securitygroups.xml': 'refused: a mode that is not served yet',
  '120-vpc-subnet-to-unknown-route-table.xml': 'refused: a mode that is not served yet',
  '122-vpc-group-without-members.xml': 'refused: a mode that is not served yet',
  '124-vpc-cluster-without-subnet-privateips.xml': 'refused: a mode that is not served yet',
}

/** Documents of modes that are not served: the mode is all that is said about them. */
const OF_OTHER_MODES = FILES.filter((file) => Number(file.slice(0, 3)) >= 102)

function parse(file: string) {
  return parseView(readFileSync(join(FOLDER, file), 'utf8'), 'view.xml')
}

function serve(file: string, reading = STRICT) {
  const sourced = { text: readFileSync(join(FOLDER, file), 'utf8'), origin: 'view.xml', modified: undefined }
  return servedView(sourced, reading)
}

function isAccepted(file: string): boolean {
  try {
    serve(file)
    return true
  } catch (error) {
    if (error instanceof Refusal && error.exitCode === EXIT.badView) return false
    throw error
  }
}

function show({ severity, where, message }: Finding): string {
  return `${severity === 'error' ? '! ' : ''}${where}: ${message}`
}

function verdictsOfEucanetd(): readonly (readonly [file: string, verdict: string])[] {
  const rows = readFileSync(join(FOLDER, 'eucanetd-5.1.tsv'), 'utf8').trim().split('\n').slice(1)
  return rows.map((row) => [row.split('\t')[0] ?? '', row.split('\t')[1] ?? ''])
}

/** The metadata service, no address, what an empty set of ours holds, and the ends of the two subnets. */
const OUR_OWN = /^(169\.254\.169\.254|0\.0\.0\.0|127\.0\.0\.1|172\.20\.[49]\.255)$/

/** Without the clusters, or the nodes, of the baseline. */
const NODES: Readonly<Record<string, number>> = { '032-no-clusters.xml': 0, '046-cluster-without-nodes.xml': 3 }

/** Rules that the baseline does not have. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  '062-instance-privateip-outside-subnet.xml': [
    '-A EUCA_NAT_OUT -d 203.0.113.16/32 -j DNAT --to-destination 10.99.0.1',
    '-A EUCA_NAT_POST -s 10.99.0.1/32 -m mark ! --mark 0x2a/0x2a -j SNAT --to-source 203.0.113.16',
    '-A EUCA_NAT_PRE -d 203.0.113.16/32 -j DNAT --to-destination 10.99.0.1',
  ],
  '078-ingress-rule-host-bits-set.xml': ['-A sg-3c5d7e91 -s 198.51.100.0/24 -p tcp -m tcp --dport 443 -j ACCEPT'],
}

function addressesIn(text: string): readonly string[] {
  return [...text.matchAll(/\b\d+\.\d+\.\d+\.\d+\b/g)].map(([address]) => address)
}

/** What lets something in: every line of a chain that accepts or translates. */
function acceptRules(iptables: string): readonly string[] {
  return lines(iptables).filter((line) => /^-A .*-j (ACCEPT|DNAT|SNAT|MASQUERADE)/.test(line))
}

const missing = kernelMissing()
if (missing.length > 0) console.error(`SKIPPED: no kernel without ${missing.join(', ')}`)

describe('findings', () => {
  test.each(FILES.filter((file) => !OF_OTHER_MODES.includes(file)))('%s', (file) => {
    const { view, findings } = parse(file)
    expect(findings.map(show)).toEqual(FINDINGS[file] ?? [])
    expect(view === undefined).toBe(findings.some(({ severity }) => severity === 'error'))
  })

  test('every expectation is of a document that is there', () => {
    expect(FILES).toEqual(expect.arrayContaining([...Object.keys(FINDINGS), ...Object.keys(WHY)]))
  })

  test.each(OF_OTHER_MODES)('%s', (file) => {
    expect(() => serve(file)).toThrow(
      /^view\.xml: the view's mode is VPCMIDO; this version serves EDGE, MANAGED, MANAGED-NOVLAN, STATIC, SYSTEM$/,
    )
  })
})

describe('verdict', () => {
  const original = new Map(verdictsOfEucanetd())

  test('there is one of the original on every document', () => {
    expect([...original.keys()]).toEqual(FILES)
  })

  test.each(FILES)('%s', (file) => {
    const ours = isAccepted(file) ? 'accepted' : 'refused'
    const theirs = original.get(file) === 'ok' ? 'accepted' : 'refused'
    expect(WHY[file]?.split(':')[0] ?? theirs).toBe(ours)
    expect(WHY[file] !== undefined).toBe(ours !== theirs)
  })
})

describe.skipIf(missing.length > 0)('what is accepted harms no node', () => {
  const baseline = serve('000-baseline-edge.xml').view
  const accepted = FILES.filter(isAccepted)
  const lets = new Set(renderEverywhere(baseline).flatMap((bundle) => acceptRules(loadBundle(bundle).iptables)))

  test.each(accepted)('%s', (file) => {
    const more = MORE[file] ?? []
    const known = new Set(addressesIn(readFileSync(join(FOLDER, file), 'utf8') + more.join('\n')))
    const bundles = renderEverywhere(serve(file).view).map((bundle) => ({ bundle, held: loadBundle(bundle) }))
    expect(bundles.length).toBe(NODES[file] ?? 5)
    const added = bundles.flatMap(({ held }) => acceptRules(held.iptables)).filter((rule) => !lets.has(rule))
    expect([...new Set(added)]).toEqual(more)
    const written = bundles.flatMap(({ bundle, held }) => {
      return addressesIn(Object.values(held).join('\n') + fileOf(bundle, 'dhcpd.conf'))
    })
    expect(written.filter((address) => !known.has(address) && !OUR_OWN.test(address))).toEqual([])
  })

  test('every exception is of a document that is accepted', () => {
    expect(accepted).toEqual(expect.arrayContaining([...Object.keys(NODES), ...Object.keys(MORE)]))
  })
})

test('what differs only in writing is one view', () => {
  const baseline = parse('000-baseline-edge.xml').view
  const same = [
    '004-bom-before-declaration.xml',
    '006-processing-instruction-before-root.xml',
    '008-comments-inside-lists.xml',
    '010-unknown-extra-property.xml',
    '016-mode-with-spaces.xml',
    '044-cluster-subnet-name-differs-from-address.xml',
    '050-node-lists-empty-instance-value.xml',
    '090-values-with-newline-padding.xml',
    '092-cdata-value.xml',
  ]
  for (const file of same) expect(parse(file).view, file).toEqual(baseline)
})
