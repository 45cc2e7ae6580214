/**
 * A configuration file and a list of instances as the document that a cloud controller would have made of them, so that
 * one reader reads all views, with the same checks.
 *
 * Invariants: every element knows its file and line. Where the original had no default there is none here; where it had
 * one and its daemons went on with it for a bad value, there is none for a bad value.
 */

import { formatRange } from '../ipv4.ts'
import type { Findings } from '../parse/findings.ts'
import { ADDRESS, DOMAIN, type Form, INSTANCE_ID } from '../parse/forms.ts'
import type { SaidMode } from '../parse/mode.ts'
import type { Needs } from '../parse/needs.ts'
import { quote } from '../parse/quote.ts'
import { element, property, type WireFile } from '../wire34/element.ts'
import type { XmlElement } from '../xml.ts'
import type { Allocation } from './allocation.ts'
import type { ConfDemands } from './demands.ts'
import { toCluster, toGroup, toInstance } from './elements.ts'
import type { InstanceList } from './instance-list.ts'
import { readNetwork } from './networks.ts'
import { readPublicIps } from './public-ips.ts'
import { formed, readSettings, type Settings, settingOf } from './settings.ts'

export interface ConfSource {
  readonly conf: WireFile
  readonly list: InstanceList
  /** What the instances and groups of an earlier reading were given. */
  readonly before: Allocation
  /** Undefined for a mode that no such file describes. */
  demandsOf(mode: string): ConfDemands | undefined
}

export interface ReadConf {
  readonly root: XmlElement
  readonly needs: Needs
  readonly allocation: Allocation
}

const DOMAIN_NAME = 'eucalyptus'
const PREFIX: Form<string> = { is: 'the first two parts of a MAC address, such as d0:0d', read: readPrefix }
const MAC_PREFIX = 'd0:0d'

/** Undefined when something is wrong with the file itself: what would be said of the rest would be wrong. */
export function readConf(
  { conf, list, before, demandsOf }: ConfSource,
  said: SaidMode | undefined,
  findings: Findings,
): ReadConf | undefined {
  const settings = readSettings(conf, findings)
  const top = { file: conf.name, line: 1 }
  const mode = settingOf(settings, 'VNET_MODE') ?? (said && { ...top, text: said.name })
  if (!mode) return findings.error({ ...top, label: '' }, 'VNET_MODE is missing: set it, or say it, --mode NAME')
  const demands = demandsOf(mode.text)
  if (!demands) {
    const text = `a cloud of mode ${mode.text} publishes a view: name that, and not its configuration file`
    return findings.error({ ...mode, label: '' }, text)
  }
  for (const key of demands.keys.filter((one) => !settingOf(settings, one))) {
    findings.error({ ...top, label: '' }, `${key} is missing: mode ${mode.text} cannot do without`)
  }
  const network = readNetwork(demands.network, settings, list, before, findings)
  const common = readCommon(demands.network, settings, findings)
  const controller = list.cloudController ?? settingOf(settings, 'VNET_CLOUDIP')
  if (!network || findings.hasErrors()) return undefined

  const isManaged = demands.network === 'segments'
  const at = { file: list.file, line: 1 }
  const clusters = list.clusters.map((cluster) => toCluster(cluster, common.prefix, network, list))
  sayHomeless(list, findings)
  sayNameless(
    list.instances.filter((one) => network.given(one).address === undefined),
    findings,
  )
  return {
    allocation: network.allocation,
    needs: {
      cloudController: isManaged,
      dnsServers: demands.network !== 'foreign',
      groups: isManaged,
      macPrefix: demands.network !== 'map',
    },
    root: element('network-data', top, '', [
      element('configuration', top, '', [
        property('mode', mode, [mode]),
        ...(controller && isManaged ? [property('enabledCLCIp', controller, [controller])] : []),
        property('instanceDNSDomain', top, [common.domain]),
        property('instanceDNSServers', top, common.dns),
        property('publicIps', top, common.publicIps),
        ...network.properties,
        element('property', at, '', clusters, 'clusters'),
      ]),
      element(
        'instances',
        at,
        '',
        list.instances.flatMap((one) => toInstance(one, network.given(one), common.prefix, demands.network)),
      ),
      element('securityGroups', at, '', isManaged ? list.groups.map(toGroup) : []),
    ]),
  }
}

function readCommon(kind: ConfDemands['network'], settings: Settings, findings: Findings) {
  const pool = settingOf(settings, 'VNET_PUBLICIPS')
  const dns = settingOf(settings, 'VNET_DNS')
  if (kind !== 'foreign') formed(settings, 'VNET_DNS', ADDRESS, findings)
  return {
    domain: (kind !== 'foreign' && formed(settings, 'VNET_DOMAINNAME', DOMAIN, findings)) || DOMAIN_NAME,
    dns: dns && kind !== 'foreign' ? [dns] : [],
    // Where a map has the MAC addresses, they have none in common.
    prefix: kind === 'map' ? undefined : (formed(settings, 'VNET_MACPREFIX', PREFIX, findings) ?? MAC_PREFIX),
    publicIps:
      pool && kind === 'segments'
        ? readPublicIps(pool, findings).map((range) => ({ ...pool, text: formatRange(range) }))
        : [],
  }
}

function sayHomeless({ clusters, instances }: InstanceList, findings: Findings): void {
  const nodes = new Set(clusters.flatMap((cluster) => cluster.nodes.map(({ text }) => text)))
  for (const { id, node } of instances.filter((one) => !nodes.has(one.node.text))) {
    findings.within('instance').error({ ...node, label: `instance ${id.text}` }, `node ${node.text} is in no cluster`)
  }
}

/** Of instances that are in no view, for want of an address; the others are read. */
function sayNameless(instances: InstanceList['instances'], findings: Findings): void {
  for (const { id } of instances.filter((one) => INSTANCE_ID.read(one.id.text) === undefined)) {
    const place = { ...id, label: `instance ${quote(id.text)}` }
    findings.within('instance').error(place, `name ${quote(id.text)} is not ${INSTANCE_ID.is}`)
  }
}

function readPrefix(text: string): string | undefined {
  return /^[0-9a-f]{2}:[0-9a-f]{2}$/i.test(text) ? text : undefined
}
