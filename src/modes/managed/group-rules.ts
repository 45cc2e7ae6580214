/** What may come into a group's segment, as rules of its chain on the controller. */

import { type Cidr, contains, formatCidr, network } from '../../view/ipv4.ts'
import type { IngressRule, Instance, RuleMatch, View } from '../../view/view.ts'
import { membersOf, type SegmentedGroup } from './members.ts'

export interface ChainRule {
  /** Empty for any. */
  readonly source: string
  readonly match: RuleMatch
  /**
   * Whether the rule asks for the mark or for its absence. Between two instances of which one was asked for by its public
   * address, it says that the source will be a public address, too, though the filter still sees the private one.
   */
  readonly mark: boolean
  readonly unmarked: boolean
}

const MARKED = { mark: true, unmarked: false }
const UNMARKED = { mark: true, unmarked: true }
const ANY = { mark: false, unmarked: false }

export interface GroupScope {
  readonly view: View
  /** All groups of the cloud with a segment. */
  readonly segmented: readonly SegmentedGroup[]
  /** Instances whose traffic comes by way of another cluster's controller, with the public address that it gives them. */
  readonly remote: readonly Instance[]
}

/** In the view's order, each once. A rule about a group without a segment lets nothing in. */
export function groupRules({ group }: SegmentedGroup, scope: GroupScope): readonly ChainRule[] {
  const members = membersOf(scope.view, group.id)
  const rules = group.ingress.flatMap((rule) => chainRules(rule, members, scope))
  const seen = new Set<string>()
  return rules.filter((rule) => {
    const text = JSON.stringify(rule)
    return !seen.has(text) && seen.add(text)
  })
}

function chainRules(
  { match, source: { group, cidr } }: IngressRule,
  members: readonly Instance[],
  scope: GroupScope,
): readonly ChainRule[] {
  if (group !== undefined) return rulesOfPeer(group, cidr, match, scope)
  if (cidr === undefined || cidr.prefix === 0) return [{ source: '', match, ...ANY }]
  const publics = new Set(members.flatMap(({ publicAddress }) => publicAddress ?? []))
  return [
    ...scope.view.instances
      .filter(({ publicAddress, privateAddress }) => {
        if (publicAddress === undefined || publics.has(publicAddress)) return false
        return contains(cidr, publicAddress) && !contains(cidr, privateAddress)
      })
      .map(({ privateAddress }) => ({ source: `${privateAddress}/32`, match, ...MARKED })),
    { source: formatCidr(cidr), match, ...UNMARKED },
  ]
}

function rulesOfPeer(
  id: string,
  cidr: Cidr | undefined,
  match: RuleMatch,
  { view, segmented, remote }: GroupScope,
): readonly ChainRule[] {
  const peer = segmented.find(({ group }) => group.id === id)
  const source = peer && within(peer.segment.network, cidr)
  if (!source) return []
  const away = new Set(membersOf(view, id))
  const publics = remote.flatMap((instance) => (away.has(instance) ? (instance.publicAddress ?? []) : []))
  return [
    { source: formatCidr(source), match, ...ANY },
    ...publics
      .filter((address) => cidr === undefined || contains(cidr, address))
      .map((address) => ({ source: `${address}/32`, match, ...ANY })),
  ]
}

/** What two networks have in common, of which one holds the other or they have nothing. */
function within(segment: Cidr, cidr: Cidr | undefined): Cidr | undefined {
  if (cidr === undefined || (contains(cidr, segment.address) && cidr.prefix <= segment.prefix)) return segment
  return cidr.prefix > segment.prefix && network(cidr.address, segment.prefix).address === segment.address
    ? cidr
    : undefined
}
