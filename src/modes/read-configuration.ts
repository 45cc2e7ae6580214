/** From a document's values to a NetworkConfiguration; whatever is not what it should be is passed over. */

import { network, parseIpv4, parseRange, prefixOf } from '../view/ipv4.ts'
import type {
  DeclaredCluster,
  DeclaredMap,
  DeclaredRange,
  DeclaredSubnet,
  KeyPath,
  ManagedSubnet,
  NetworkConfiguration,
} from './network-configuration.ts'

type Values = Readonly<Record<string, unknown>>

/** What the cloud takes for granted. */
const DEFAULTS = { mode: 'EDGE', minVlan: 2, maxVlan: 4095, segmentSize: 32 }

export function readConfiguration(document: unknown): NetworkConfiguration {
  const top = mapOf(document) ?? {}
  const managed = mapOf(top.ManagedSubnet)
  const mido = mapOf(top.Mido)
  return {
    mode: textOf(top.Mode) ?? DEFAULTS.mode,
    keys: Object.keys(top),
    publicIps: readRanges(top.PublicIps, ['PublicIps']),
    privateIps: readRanges(top.PrivateIps, ['PrivateIps']),
    subnets: listOf(top.Subnets).flatMap((item, index) => readSubnet(item, ['Subnets', index]) ?? []),
    managedSubnet: managed && readManagedSubnet(managed),
    clusters: listOf(top.Clusters).flatMap((item, index) => readCluster(item, ['Clusters', index]) ?? []),
    mido: mido && { path: ['Mido'], value: mido },
  }
}

function readCluster(item: unknown, path: KeyPath): DeclaredCluster | undefined {
  const values = mapOf(item)
  if (!values) return undefined
  return {
    path,
    name: textOf(values.Name),
    subnet: readSubnet(values.Subnet, [...path, 'Subnet']),
    privateIps: values.PrivateIps === undefined ? undefined : readRanges(values.PrivateIps, [...path, 'PrivateIps']),
  }
}

function readSubnet(item: unknown, path: KeyPath): DeclaredSubnet | undefined {
  const values = mapOf(item)
  if (!values) return undefined
  const [address, netmask, gateway] = [values.Subnet, values.Netmask, values.Gateway].map((value) => {
    return parseIpv4(textOf(value) ?? '')
  })
  const prefix = netmask && prefixOf(netmask)
  const cidr = address && prefix !== undefined ? network(address, prefix) : undefined
  return { path, keys: Object.keys(values), name: textOf(values.Name), address, netmask, gateway, network: cidr }
}

function readManagedSubnet(values: Values): ManagedSubnet | undefined {
  const subnet = readSubnet(values, ['ManagedSubnet'])
  return (
    subnet && {
      ...subnet,
      minVlan: toInteger(values.MinVlan) ?? DEFAULTS.minVlan,
      maxVlan: toInteger(values.MaxVlan) ?? DEFAULTS.maxVlan,
      segmentSize: toInteger(values.SegmentSize) ?? DEFAULTS.segmentSize,
    }
  )
}

function readRanges(value: unknown, path: KeyPath): readonly DeclaredRange[] {
  return listOf(value).flatMap((item, index) => {
    const range = parseRange(textOf(item) ?? '')
    return range ? [{ path: [...path, index], range }] : []
  })
}

/** The maps of a list, each with its path. */
export function mapsOf({ path, value }: DeclaredMap, key: string): readonly DeclaredMap[] {
  return listOf(value[key]).flatMap((item, index) => {
    const inner = mapOf(item)
    return inner ? [{ path: [...path, key, index], value: inner }] : []
  })
}

/** A number, also one in quotes. */
export function toInteger(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function mapOf(value: unknown): Values | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Values) : undefined
}
