/** The private network of a cloud that gives each group a segment of it: complete or not there at all. */

import { formatCidr, network } from '../ipv4.ts'
import type { ManagedSubnet } from '../view.ts'
import { items, named, optional, placeOf, required, type Source } from './fields.ts'
import { ADDRESS, NETMASK, SEGMENT_SIZE, TAG } from './forms.ts'

/** What the cloud means where a document says nothing. */
const TAGS = { first: 2, last: 4095 }
const SEGMENT = 32

export function readManagedSubnet(configuration: Source): Omit<ManagedSubnet, 'clusters'> | undefined {
  const [element, second] = items(configuration, 'managedSubnet', 'managedSubnet')
  if (!element) return undefined
  if (second) configuration.findings.error(placeOf(configuration, second.line), 'managedSubnet is there twice')
  const source = named('managedSubnet', element, configuration.findings)
  const address = required(source, 'subnet', ADDRESS)
  const prefix = required(source, 'netmask', NETMASK)
  const first = optional(source, 'minVlan', TAG) ?? TAGS.first
  const last = optional(source, 'maxVlan', TAG) ?? TAGS.last
  const segmentSize = optional(source, 'segmentSize', SEGMENT_SIZE) ?? SEGMENT
  if (!address || prefix === undefined) return undefined

  const cidr = network(address, prefix)
  const refuse = (problem: string) => source.findings.error(placeOf(source), problem)
  if (cidr.address !== address) return refuse(`subnet ${address} has bits set that its netmask clears`)
  if (first > last) return refuse(`minVlan ${first} is above maxVlan ${last}`)
  const segments = 2 ** (32 - prefix) / segmentSize
  if (first - TAGS.first >= segments) {
    return refuse(`${formatCidr(cidr)} has ${segments} segments of ${segmentSize}, so none for minVlan ${first}`)
  }
  return { network: cidr, segmentSize, tags: { first, last } }
}
