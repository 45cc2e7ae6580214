/**
 * `config-cc`: `KEY=value` lines of the cluster's settings, then `IPMAP=<public> <private>` for the whole pool, 0.0.0.0
 * where a public address is nobody's.
 *
 * What later views say and this file does not has the value its reader took for granted: a domain, a prefix of MACs, and
 * as private addresses every host of the subnet but its router.
 */

import { broadcast, network, parseIpv4, prefixOf, toIpv4, toNumber } from '../ipv4.ts'
import type { Findings } from '../parse/findings.ts'
import { quote } from '../parse/quote.ts'
import type { XmlElement } from '../xml.ts'
import { element, type Line, linesOf, property, type WireFile } from './element.ts'

export interface ConfigCc {
  readonly properties: readonly XmlElement[]
  /** Private address to public address. */
  readonly publicOf: ReadonlyMap<string, string>
  cluster(controller: Line | undefined, nodes: readonly XmlElement[]): XmlElement
}

const DOMAIN = 'eucalyptus.internal'
const MAC_PREFIX = 'd0:0d'

export function readConfigCc(file: WireFile, findings: Findings): ConfigCc {
  const settings = new Map<string, Line>()
  const pool: Line[] = []
  const publicOf = new Map<string, string>()
  for (const line of linesOf(file)) {
    const [, key, value = ''] = /^([A-Z_]+)=(.*)$/.exec(line.text) ?? []
    const said = { ...line, text: value.trim().replace(/^"(.*)"$/, '$1') }
    if (key === undefined) findings.error({ ...line, label: '' }, `${quote(line.text)} is not KEY=value`)
    else if (key === 'IPMAP') addToPool(said)
    else if (settings.has(key)) findings.error({ ...line, label: '' }, `${key} is there twice`)
    else settings.set(key, said)
  }

  function addToPool(line: Line): void {
    const [address = '', owner = '', ...rest] = line.text.split(/\s+/)
    if (owner === '' || rest.length > 0)
      findings.error({ ...line, label: '' }, `IPMAP ${quote(line.text)} is not two addresses`)
    pool.push({ ...line, text: address })
    if (owner !== '0.0.0.0') publicOf.set(owner, address)
  }

  const top = { file: file.name, line: 1 }
  const of = (name: string, key: string) => {
    const line = settings.get(key)
    return property(name, line ?? top, line ? line.text.split(/\s+/).map((text) => ({ ...line, text })) : [])
  }
  return {
    publicOf,
    properties: [
      of('mode', 'VNET_MODE'),
      property('publicIps', pool[0] ?? top, pool),
      of('enabledCLCIp', 'CLCIP'),
      property('instanceDNSDomain', top, [settings.get('VNET_DOMAINNAME')?.text ?? DOMAIN]),
      of('instanceDNSServers', 'VNET_DNS'),
    ],
    cluster: (controller, nodes) => {
      const at = controller ?? top
      const net = settings.get('VNET_SUBNET') ?? top
      const subnet = element('subnet', net, '', [
        of('subnet', 'VNET_SUBNET'),
        of('netmask', 'VNET_NETMASK'),
        of('gateway', 'VNET_ROUTER'),
      ])
      const parts = [
        subnet,
        property('enabledCCIp', at, controller ? [controller] : []),
        property('macPrefix', top, [settings.get('VNET_MACPREFIX')?.text ?? MAC_PREFIX]),
        property('privateIps', net, hosts(settings)),
        element('property', top, '', nodes, 'nodes'),
      ]
      return element('property', top, '', [element('cluster', at, '', parts, controller?.text)], 'clusters')
    },
  }
}

/** Every host of the subnet except its router, as one range or two. */
function hosts(settings: ReadonlyMap<string, Line>): readonly string[] {
  const [address, mask, router] = ['VNET_SUBNET', 'VNET_NETMASK', 'VNET_ROUTER'].map((key) =>
    parseIpv4(settings.get(key)?.text ?? ''),
  )
  const prefix = mask && prefixOf(mask)
  if (!address || !router || prefix === undefined) return []
  const cidr = network(address, prefix)
  return [
    [toNumber(cidr.address) + 1, toNumber(router) - 1],
    [toNumber(router) + 1, toNumber(broadcast(cidr)) - 1],
  ].flatMap(([first = 0, last = 0]) => (first <= last ? [`${toIpv4(first)}-${toIpv4(last)}`] : []))
}
