/**
 * Gateways to the outside in Mido, in one of two forms: the old one (up to 4.3, still taken) with one public network for
 * all of them, the new one (since 4.4) with a network of its own for each, static or with BGP. They must not be mixed.
 */

import { broadcast, contains, formatCidr, parseCidr, parseIpv4 } from '../view/ipv4.ts'
import type {
  ConfigurationDefect,
  ConfigurationRules,
  DeclaredMap,
  NetworkConfiguration,
} from './network-configuration.ts'
import { listOf, mapsOf, textOf, toInteger } from './read-configuration.ts'

const OLD_GATEWAY = ['GatewayHost', 'GatewayIP', 'GatewayInterface']
const OLD_NETWORK = ['PublicNetworkCidr', 'PublicGatewayIP']
const NEW_GATEWAY = ['Ip', 'ExternalCidr', 'ExternalDevice', 'ExternalIp']
const STATIC_GATEWAY = ['ExternalRouterIp']
const BGP_GATEWAY = ['BgpPeerIp', 'BgpPeerAsn', 'BgpAdRoutes']
const ALL_NEW = [...NEW_GATEWAY, ...STATIC_GATEWAY, ...BGP_GATEWAY]
const INSIDE = ['ExternalIp', 'ExternalRouterIp', 'BgpPeerIp']
const MOST_GATEWAYS = 6
const LARGEST_ASN = 4294967295

export const vpcmidoConfiguration: ConfigurationRules = {
  mode: 'VPCMIDO',
  since: '4.1',
  defects,
  clusters: ({ clusters }) => clusters.map(({ name }) => ({ name: name ?? '', subnet: undefined, privateIps: [] })),
}

function defects({ keys, clusters, mido }: NetworkConfiguration): readonly ConfigurationDefect[] {
  const foreign = ['Subnets', 'PrivateIps', 'ManagedSubnet'].filter((key) => keys.includes(key))
  return [
    ...foreign.map((atKey) => ({ path: [], atKey, problem: `${atKey} does not belong to mode VPCMIDO` })),
    ...clusters.flatMap(({ path, subnet, privateIps }) => [
      ...(subnet ? [{ path: subnet.path, problem: 'Subnet does not belong to mode VPCMIDO' }] : []),
      ...(privateIps ? [{ path: [...path, 'PrivateIps'], problem: 'PrivateIps do not belong to mode VPCMIDO' }] : []),
    ]),
    ...(keys.includes('Mido') ? [] : [{ path: [], problem: 'key "Mido" is missing: mode VPCMIDO needs it' }]),
    ...(mido ? midoDefects(mido) : []),
  ]
}

function midoDefects(mido: DeclaredMap): readonly ConfigurationDefect[] {
  const gateways = mapsOf(mido, 'Gateways')
  const isNew = mido.value.BgpAsn !== undefined || gateways.some(({ value }) => ALL_NEW.some((key) => key in value))
  return [
    ...countDefects(mido, gateways.length),
    ...asnDefects(mido, 'BgpAsn'),
    ...(isNew ? newForm(mido, gateways) : oldForm(mido, gateways)),
  ]
}

function countDefects({ path, value }: DeclaredMap, count: number): readonly ConfigurationDefect[] {
  const isSingle = OLD_GATEWAY.some((key) => key in value)
  if (count > MOST_GATEWAYS)
    return [{ path: [...path, 'Gateways'], problem: `there can be ${MOST_GATEWAYS} gateways, not ${count}` }]
  if (count > 0 || isSingle) return []
  return [
    {
      path: 'Gateways' in value ? [...path, 'Gateways'] : path,
      problem: 'there must be at least one gateway in Gateways',
    },
  ]
}

function oldForm(mido: DeclaredMap, gateways: readonly DeclaredMap[]): readonly ConfigurationDefect[] {
  const isSingle = OLD_GATEWAY.some((key) => key in mido.value)
  const both = isSingle && gateways.length > 0 ? misplaced(mido, OLD_GATEWAY, 'where there are Gateways') : []
  const single = isSingle && gateways.length === 0 ? missing(mido, OLD_GATEWAY) : []
  return [
    ...missing(mido, OLD_NETWORK),
    ...both,
    ...single,
    ...gateways.flatMap((gateway) => missing(gateway, OLD_GATEWAY)),
  ]
}

function newForm(mido: DeclaredMap, gateways: readonly DeclaredMap[]): readonly ConfigurationDefect[] {
  const needed = [...NEW_GATEWAY, ...(mido.value.BgpAsn === undefined ? STATIC_GATEWAY : BGP_GATEWAY)]
  const why = 'beside gateways of the new form'
  return [
    ...misplaced(mido, [...OLD_NETWORK, ...OLD_GATEWAY], why),
    ...gateways.flatMap((gateway) => [
      ...misplaced(gateway, OLD_GATEWAY, why),
      ...missing(gateway, needed),
      ...asnDefects(gateway, 'BgpPeerAsn'),
      ...routeDefects(gateway),
      ...outside(gateway),
    ]),
  ]
}

function missing({ path, value }: DeclaredMap, keys: readonly string[]): readonly ConfigurationDefect[] {
  return keys.filter((key) => value[key] === undefined).map((key) => ({ path, problem: `key "${key}" is missing` }))
}

function misplaced({ path, value }: DeclaredMap, keys: readonly string[], why: string): readonly ConfigurationDefect[] {
  return keys
    .filter((key) => key in value)
    .map((atKey) => ({ path, atKey, problem: `key "${atKey}" cannot stand ${why}` }))
}

function asnDefects({ path, value }: DeclaredMap, key: string): readonly ConfigurationDefect[] {
  const asn = toInteger(value[key])
  if (asn === undefined || (asn >= 1 && asn <= LARGEST_ASN)) return []
  return [{ path: [...path, key], problem: `${asn} is not the number of an autonomous system, 1 to ${LARGEST_ASN}` }]
}

function routeDefects({ path, value }: DeclaredMap): readonly ConfigurationDefect[] {
  if (!Array.isArray(value.BgpAdRoutes) || listOf(value.BgpAdRoutes).length > 0) return []
  return [{ path: [...path, 'BgpAdRoutes'], problem: 'there must be at least one route' }]
}

/** Addresses outside are hosts of the external network. */
function outside({ path, value }: DeclaredMap): readonly ConfigurationDefect[] {
  const cidr = parseCidr(textOf(value.ExternalCidr) ?? '')
  if (!cidr) return []
  return INSIDE.flatMap((key) => {
    const address = parseIpv4(textOf(value[key]) ?? '')
    const isHost = address && contains(cidr, address) && address !== cidr.address && address !== broadcast(cidr)
    return !address || isHost
      ? []
      : [{ path: [...path, key], problem: `${address} is not a host of ExternalCidr, ${formatCidr(cidr)}` }]
  })
}
