/** The network that instances are in, of each of the kinds there are, and what each instance has of it. */

import { broadcast, type Cidr, contains, formatCidr, network as networkOf } from '../ipv4.ts'
import type { Findings } from '../parse/findings.ts'
import { ADDRESS, HOST_ADDRESS, NETMASK, SEGMENT_SIZE, TAG } from '../parse/forms.ts'
import { element, type Line, property, type Spot } from '../wire34/element.ts'
import type { XmlElement } from '../xml.ts'
import { type Allocation, NOTHING_ALLOCATED } from './allocation.ts'
import type { ConfDemands } from './demands.ts'
import { givePairs } from './give-pairs.ts'
import { giveSegments, tagsOf } from './give-segments.ts'
import type { InstanceList, ListedInstance } from './instance-list.ts'
import { readMacMap } from './mac-map.ts'
import { formed, type Settings, settingOf } from './settings.ts'

/** What became of an instance, as text of the document. */
export interface Given {
  readonly mac: Line | undefined
  readonly address: Line | undefined
}

export interface Network {
  /** Of the configuration. */
  readonly properties: readonly XmlElement[]
  /** Of each cluster. */
  readonly ofCluster: readonly XmlElement[]
  readonly given: (instance: ListedInstance) => Given
  readonly allocation: Allocation
}

export function readNetwork(
  kind: ConfDemands['network'],
  settings: Settings,
  list: InstanceList,
  before: Allocation,
  findings: Findings,
): Network | undefined {
  if (kind === 'foreign') return foreign()
  const cidr = readSubnet(settings, findings)
  return kind === 'map'
    ? mapped(cidr, settings, list, before, findings)
    : segmented(cidr, settings, list, before, findings)
}

function foreign(): Network {
  const given = ({ mac, address }: ListedInstance) => ({ mac, address })
  return { properties: [], ofCluster: [], given, allocation: NOTHING_ALLOCATED }
}

function readSubnet(settings: Settings, findings: Findings): Cidr | undefined {
  const address = formed(settings, 'VNET_SUBNET', ADDRESS, findings)
  const prefix = formed(settings, 'VNET_NETMASK', NETMASK, findings)
  if (!address || prefix === undefined) return undefined
  const cidr = networkOf(address, prefix)
  if (cidr.address === address) return cidr
  return fail(settings, 'VNET_SUBNET', `${address} has bits set that VNET_NETMASK clears`, findings)
}

function mapped(
  cidr: Cidr | undefined,
  settings: Settings,
  list: InstanceList,
  before: Allocation,
  findings: Findings,
): Network | undefined {
  const last = formed(settings, 'VNET_BROADCAST', ADDRESS, findings)
  const router = formed(settings, 'VNET_ROUTER', HOST_ADDRESS, findings)
  const map = settingOf(settings, 'VNET_MACMAP')
  if (!cidr || !last || !router || !map) return undefined
  if (last !== broadcast(cidr)) {
    fail(settings, 'VNET_BROADCAST', `${last} is not ${broadcast(cidr)}, that of ${formatCidr(cidr)}`, findings)
  }
  if (!contains(cidr, router) || [cidr.address, broadcast(cidr)].includes(router)) {
    fail(settings, 'VNET_ROUTER', `${router} is not a host of ${formatCidr(cidr)}`, findings)
  }
  const pairs = readMacMap(map, { network: cidr, router }, findings)
  if (findings.hasErrors()) return undefined
  const given = givePairs(list.instances, pairs, before.addresses, findings)
  const addresses = new Map([...given].map(([id, { address }]) => [id, address]))
  const allocation = { ...NOTHING_ALLOCATED, addresses }
  return {
    properties: [],
    ofCluster: [
      element('subnet', map, '', [
        ...copies(settings, { subnet: 'VNET_SUBNET', netmask: 'VNET_NETMASK', gateway: 'VNET_ROUTER' }),
      ]),
      property(
        'privateIps',
        map,
        pairs.map(({ address }) => ({ ...map, text: address })),
      ),
    ],
    given: ({ id }) => {
      const pair = given.get(id.text)
      return { mac: pair && { ...id, text: pair.mac }, address: pair && { ...id, text: pair.address } }
    },
    allocation,
  }
}

function segmented(
  cidr: Cidr | undefined,
  settings: Settings,
  list: InstanceList,
  before: Allocation,
  findings: Findings,
): Network | undefined {
  const size = formed(settings, 'VNET_ADDRSPERNET', SEGMENT_SIZE, findings)
  const subnet = settingOf(settings, 'VNET_SUBNET')
  if (!cidr || size === undefined || !subnet) return undefined
  const said = { first: readTag(list, 'first', findings) ?? 2, last: readTag(list, 'last', findings) ?? 4095 }
  const segments = { network: cidr, size, tags: tagsOf(cidr, size, said) }
  const allocation = giveSegments(list.instances, segments, before, findings)
  return {
    properties: [
      element(
        'property',
        subnet,
        '',
        [
          element(
            'managedSubnet',
            subnet,
            '',
            [
              ...copies(settings, { subnet: 'VNET_SUBNET', netmask: 'VNET_NETMASK', segmentSize: 'VNET_ADDRSPERNET' }),
              ...(list.tags.first ? [property('minVlan', list.tags.first, [list.tags.first])] : []),
              ...(list.tags.last ? [property('maxVlan', list.tags.last, [list.tags.last])] : []),
            ],
            subnet.text,
          ),
        ],
        'managedSubnet',
      ),
    ],
    ofCluster: [],
    given: ({ id, mac, address }) => {
      const own = allocation.addresses.get(id.text)
      return { mac, address: address ?? (own && { ...id, text: own }) }
    },
    allocation,
  }
}

function readTag({ tags }: InstanceList, end: 'first' | 'last', findings: Findings): number | undefined {
  const line = tags[end]
  if (!line) return undefined
  return TAG.read(line.text) ?? findings.error({ ...line, label: 'tags' }, `${end} ${line.text} is not ${TAG.is}`)
}

function copies(settings: Settings, keys: Readonly<Record<string, string>>): readonly XmlElement[] {
  return Object.entries(keys).flatMap(([name, key]) => {
    const line = settingOf(settings, key)
    return line ? [property(name, line, [line])] : []
  })
}

function fail(settings: Settings, key: string, problem: string, findings: Findings): undefined {
  const at: Spot = settingOf(settings, key) ?? { file: settings.file, line: 1 }
  return findings.error({ ...at, label: '' }, `${key} ${problem}`)
}
