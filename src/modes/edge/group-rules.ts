import { type Cidr, contains, formatCidr } from '../../view/ipv4.ts'
import type { IngressRule, Instance, RuleMatch, SecurityGroup, View } from '../../view/view.ts'
import { cloudOf } from './cloud.ts'

/** One line of a group's chain. */
export interface ChainRule {
  /** Empty for any source. */
  readonly cidr: string
  /** The set that the source must be in; empty for none. */
  readonly group: string
  readonly match: RuleMatch
  /**
   * Only for packets that were sent to a public address. Those between private addresses carry the mark, but only the
   * first of a connection meets the table that sets it: who judges later ones, too, asks whether it is translated.
   */
  readonly toPublicOnly: boolean
}

/**
 * The rules of a group in the view's order. A rule that stands twice keeps its last place, as the original did.
 * A rule that names a group unknown to the view is left out: nobody can be in that group.
 */
export function groupRules(group: SecurityGroup, view: View, local: readonly Instance[]): readonly ChainRule[] {
  const { groups } = cloudOf(view)
  const rules = group.ingress
    .filter(({ source }) => source.group === undefined || groups.has(source.group))
    .flatMap((rule) => [chainRule(rule), ...sameNodeRules(rule, local)])
  const lastPlace = new Map(rules.map((rule, place) => [JSON.stringify(rule), place]))
  return rules.filter((rule, place) => lastPlace.get(JSON.stringify(rule)) === place)
}

function chainRule({ match, source }: IngressRule): ChainRule {
  return { cidr: source.cidr ? cidrText(source.cidr) : '', group: source.group ?? '', match, toPublicOnly: false }
}

function cidrText(cidr: Cidr): string {
  return cidr.prefix === 0 ? '' : formatCidr(cidr)
}

/**
 * Between two instances of one node the filter sees the private source, because source translation comes later: a rule
 * that covers an instance's public address but not its private one would never match its traffic.
 */
function sameNodeRules(
  { match, source: { group, cidr } }: IngressRule,
  local: readonly Instance[],
): readonly ChainRule[] {
  if (group !== undefined || cidr === undefined || cidr.prefix === 0) return []
  return local
    .filter(({ publicAddress, privateAddress }) => {
      return publicAddress && contains(cidr, publicAddress) && !contains(cidr, privateAddress)
    })
    .map(({ privateAddress }) => ({ cidr: `${privateAddress}/32`, group: '', match, toPublicOnly: true }))
}
