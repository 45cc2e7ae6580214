/** A profile holds for the nodes that it is said for, and hardened adds to the original's rules what the mode's page lists. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Bundle } from '../../src/bundle/bundle.ts'
import { declaredBundle } from '../../src/commands/node-bundle.ts'
import { loadInventory } from '../../src/config/inventory.ts'
import { packageTemplates } from '../../src/config/templates.ts'
import { modeOf } from '../../src/modes/index.ts'
import { readView } from '../../src/view/parse.ts'
import { fileOf } from '../golden/cases.ts'

const CASE = join(import.meta.dirname, '../cases/edge/private-only-and-empty')
const RULES = ['iptables.restore', 'ebtables.restore']
const RELATED = '-A EUCA_FILTER_FWD -p icmp -m conntrack --ctstate RELATED -j ACCEPT'

it.each([
  ['nowhere', '', '', '', []],
  ['for all', 'profile: hardened', '', '', ['nc-110-51', 'nc-110-52', 'nc-110-53']],
  ['for a group', '', 'profile: hardened', '', ['nc-110-52', 'nc-110-53']],
  ['for a node', '', '', 'profile: hardened', ['nc-110-53']],
  ['for all but a group', 'profile: hardened', 'profile: compatible', '', ['nc-110-51']],
  ['for a node of a group that is not', '', 'profile: compatible', 'profile: hardened', ['nc-110-53']],
] as const)('hardened, said %s', (_, inDefaults, inGroup, inNode, hardened) => {
  const bundles = bundlesOf({ inDefaults, inGroup, inNode })
  const found = Object.keys(bundles).filter((name) => linesOf(bundles[name]).includes(RELATED))
  expect(found).toEqual(hardened)
})

it('hardened adds these rules and takes none away, but for three that it makes narrower', () => {
  const [compatible, hardened] = ['', 'profile: hardened'].map((inDefaults) => {
    return linesOf(bundlesOf({ inDefaults, inGroup: '', inNode: '' })['nc-110-52'])
  })
  const difference = (a: readonly string[] = [], b: readonly string[] = []) => a.filter((line) => !b.includes(line))
  const general = (line: string) =>
    line
      .replaceAll(/vn_i-\w+/g, 'PORT')
      .replaceAll(/d0:0d[:\w]+/g, 'MAC')
      .replaceAll(/\b\d+\.\d+\.\d+\.\d+\/32|(?<=--ctorigdst )[\d.]+/g, 'IP')
  const kinds = (lines: readonly string[]) => [...new Set(lines.map(general))].filter((line) => line.startsWith('-A'))

  expect(kinds(difference(compatible, hardened))).toEqual([
    '-A EUCA_FILTER_FWD -m conntrack --ctstate ESTABLISHED -j ACCEPT',
    expect.stringMatching(/^-A EUCA_NAT_PRE -d IP -p tcp -m tcp --dport 80 -j DNAT --to-destination [\d.]+:8773$/),
    '-A EUCA_EBT_NAT_PRE -p IPv4 -i PORT -s MAC --ip-proto udp --ip-dport 67:68 -j ACCEPT',
  ])
  expect(kinds(difference(hardened, compatible))).toEqual([
    '-A EUCA_FILTER_FWD -m conntrack --ctstate ESTABLISHED --ctdir REPLY -j ACCEPT',
    '-A EUCA_FILTER_FWD -m conntrack --ctstate ESTABLISHED -m set ! --match-set EUCA_NCPRIVATE dst -j ACCEPT',
    RELATED,
    '-A EUCA_FILTER_FWD_DROPPED -d IP -m conntrack ! --ctstate DNAT',
    '-A EUCA_FILTER_FWD_DROPPED -d IP -m conntrack --ctorigdst IP',
    expect.stringMatching(
      /^-A EUCA_NAT_PRE -s [\d./]+ -d IP -p tcp -m tcp --dport 80 -j DNAT --to-destination [\d.]+:8773$/,
    ),
    '-A EUCA_COUNTERS_IN -d IP',
    '-A EUCA_COUNTERS_OUT -s IP -m set ! --match-set EUCA_ALLPRIVATE dst',
    '-A EUCA_COUNTERS_OUT -s IP -m set --match-set EUCA_ALLPRIVATE dst',
    '-A EUCA_EBT_NAT_PRE -p IPv4 -i vn_i+ --ip-proto udp --ip-sport 67 -j DROP',
    '-A EUCA_EBT_NAT_PRE -p IPv6 -i vn_i+ -j DROP',
    '-A EUCA_EBT_NAT_POST -p IPv6 -o vn_i+ -j DROP',
    '-A EUCA_EBT_NAT_PRE -p IPv4 -i PORT -s MAC --ip-src 0.0.0.0 --ip-proto udp --ip-sport 68 --ip-dport 67 -j ACCEPT',
  ])
})

interface Layers {
  readonly inDefaults: string
  readonly inGroup: string
  readonly inNode: string
}

/** The bundles of the case by node, with these lines in the layers of its inventory; nc-110-52 and 53 are in the group. */
function bundlesOf({ inDefaults, inGroup, inNode }: Layers): Readonly<Record<string, Bundle>> {
  const text = readFileSync(join(CASE, 'inventory.yml'), 'utf8')
  const group = inGroup ? `groups:\n  few: { nodes: [nc-110-52, nc-110-53], ${inGroup} }\n` : ''
  const layered = text
    .replace('defaults:\n', inDefaults ? `defaults:\n  ${inDefaults}\n` : '$&')
    .replace('nodes:\n', `${group}nodes:\n`)
    .replace(/^( +)nc-110-53:\n/m, inNode ? `$&$1$1${inNode}\n` : '$&')
  const folder = mkdtempSync(join(tmpdir(), 'edgepush-profile-'))
  try {
    writeFileSync(join(folder, 'inventory.yml'), layered)
    const { view } = readView(readFileSync(join(CASE, 'view.xml'), 'utf8'), 'view.xml')
    const mode = modeOf(view, 'the test')
    const templates = packageTemplates()
    const { nodes } = loadInventory(join(folder, 'inventory.yml'), 'the test')
    return Object.fromEntries(nodes.map((node) => [node.name, declaredBundle(node, { view, mode, templates })]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function linesOf(bundle: Bundle | undefined): readonly string[] {
  return bundle ? RULES.flatMap((name) => fileOf(bundle, name).split('\n')) : []
}
