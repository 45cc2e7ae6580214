/** One subnet for the whole cloud, cut into segments, one per VLAN and security group. */

import { formatCidr } from '../view/ipv4.ts'
import type {
  ConfigurationDefect,
  ConfigurationRules,
  ManagedSubnet,
  NetworkConfiguration,
} from './network-configuration.ts'

const VLANS = { first: 2, last: 4095 }
const SEGMENTS = { smallest: 16, largest: 2048 }

export function managedConfiguration(mode: string): ConfigurationRules {
  return {
    mode,
    since: '4.2',
    until: '4.3',
    defects: (configuration) => defects(mode, configuration),
    clusters: ({ clusters }) => clusters.map(({ name }) => ({ name: name ?? '', subnet: undefined, privateIps: [] })),
  }
}

function defects(mode: string, { keys, managedSubnet }: NetworkConfiguration): readonly ConfigurationDefect[] {
  const missing = { path: [], problem: `key "ManagedSubnet" is missing: mode ${mode} needs it` }
  const subnets = { path: [], atKey: 'Subnets', problem: `Subnets do not belong to mode ${mode}` }
  return [
    ...(keys.includes('ManagedSubnet') ? [] : [missing]),
    ...(keys.includes('Subnets') ? [subnets] : []),
    ...(managedSubnet ? segmentDefects(managedSubnet) : []),
  ]
}

function segmentDefects({
  path,
  network,
  minVlan,
  maxVlan,
  segmentSize,
}: ManagedSubnet): readonly ConfigurationDefect[] {
  const { smallest, largest } = SEGMENTS
  const isSize = segmentSize >= smallest && segmentSize <= largest && Number.isInteger(Math.log2(segmentSize))
  const isVlan = (vlan: number) => vlan >= VLANS.first && vlan <= VLANS.last
  const range = `${VLANS.first} to ${VLANS.last}`
  const found: ConfigurationDefect[] = []
  if (!isSize)
    found.push({
      path: [...path, 'SegmentSize'],
      problem: `${segmentSize} is not a power of two from ${smallest} to ${largest}`,
    })
  if (!isVlan(minVlan)) found.push({ path: [...path, 'MinVlan'], problem: `${minVlan} is not a VLAN, ${range}` })
  if (!isVlan(maxVlan)) found.push({ path: [...path, 'MaxVlan'], problem: `${maxVlan} is not a VLAN, ${range}` })
  if (minVlan > maxVlan) found.push({ path: [...path, 'MinVlan'], problem: `${minVlan} is above MaxVlan, ${maxVlan}` })
  const segments = network && isSize ? 2 ** (32 - network.prefix) / segmentSize : undefined
  if (network && segments !== undefined && minVlan - VLANS.first >= segments) {
    const problem = `${formatCidr(network)} has ${segments} segments of ${segmentSize}, so none for VLAN ${minVlan}`
    found.push({ path: [...path, 'MinVlan'], problem })
  }
  return found
}
