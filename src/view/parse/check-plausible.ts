/**
 * What a sound cloud would not say, though it can be carried out as it stands: warnings.
 *
 * Only for a document without errors; about one that was read in part, most of them would be wrong.
 */

import { type Ipv4, parseIpv4 } from '../ipv4.ts'
import type { Cluster, SecurityGroup } from '../view.ts'
import { checkInstances } from './check-instances.ts'
import type { ViewDocument } from './document.ts'
import type { Findings } from './findings.ts'

/** The rest can be computed: it is the SHA-256 of the name. */
const NAMES_SHOWN = 3

export function checkPlausible(document: ViewDocument, findings: Findings): void {
  checkServices(document, findings)
  const instanceIds = new Set(document.instances.map(({ id }) => id))
  for (const cluster of document.clusters) checkNodes(cluster, instanceIds, findings)
  checkInstances(document, findings)
  const groupIds = new Set(document.groups.map(({ id }) => id))
  for (const group of document.groups) checkRules(group, groupIds, findings)
  sayNewNames(document, findings)
}

function checkServices(document: ViewDocument, findings: Findings): void {
  const place = findings.placeOf(document)
  const { cloudController, dnsServers, clusters } = document
  if (cloudController && isLoopback(cloudController)) {
    findings.warning(place, `enabledCLCIp ${cloudController} is of no use to instances`)
  }
  for (const server of dnsServers.filter(isLoopback)) {
    findings.warning(place, `DNS server ${server} is of no use to instances`)
  }
  if (clusters.length === 0) findings.warning(place, 'there is no cluster')
}

function checkNodes(cluster: Cluster, instanceIds: ReadonlySet<string>, findings: Findings): void {
  const place = findings.placeOf(cluster)
  if (cluster.nodes.length === 0) findings.warning(place, 'has no nodes')
  if (cluster.macPrefix !== undefined && !/^[0-9a-f]{2}:[0-9a-f]{2}$/i.test(cluster.macPrefix)) {
    findings.warning(place, `macPrefix ${cluster.macPrefix} is not a MAC prefix`)
  }
  for (const node of cluster.nodes) {
    if (!parseIpv4(node.name))
      findings.warning(findings.placeOf(node), 'is not an address, so no inventory can have it')
    for (const id of node.instances.filter((instance) => !instanceIds.has(instance))) {
      findings.warning(findings.placeOf(node), `runs instance ${id}, which is not in the view; left out`)
    }
  }
}

/** The original skips such a rule, too: what it would let in stays shut. */
function checkRules(group: SecurityGroup, groupIds: ReadonlySet<string>, findings: Findings): void {
  for (const rule of group.ingress) {
    const { group: peer } = rule.source
    if (peer === undefined || groupIds.has(peer)) continue
    findings.warning(findings.placeOf(rule), `names group ${peer}, which is not in the view; it lets nothing in`)
  }
}

/** Once for all of them: in an old cloud that is every group. */
function sayNewNames({ groupNames = [], groups }: ViewDocument, findings: Findings): void {
  const ids = new Set(groups.map(({ id }) => id))
  const renamed = groupNames.filter(({ name, id }) => id !== undefined && id !== name && ids.has(id))
  if (renamed.length === 0) return
  const shown = renamed.slice(0, NAMES_SHOWN).map(({ name, id }) => `${name} is ${id}`)
  const more = renamed.length > shown.length ? [`${renamed.length - shown.length} more`] : []
  const place = { ...findings.placeOf(groups.find(({ id }) => id === renamed[0]?.id) ?? {}), label: 'securityGroups' }
  findings.warning(place, `groups whose names no chain can have get others: ${[...shown, ...more].join(', ')}`)
}

function isLoopback(address: Ipv4): boolean {
  return address.startsWith('127.')
}
