/** One instance; what it says about itself, not whether it fits the others. */

import type { Ipv4 } from '../ipv4.ts'
import type { Instance } from '../view.ts'
import type { XmlElement } from '../xml.ts'
import { attribute, named, optional, placeOf, required, requiredList, type Source } from './fields.ts'
import type { Findings } from './findings.ts'
import { GROUP_ID, HOST_ADDRESS, HOST_OR_NO_ADDRESS, INSTANCE_ID, MAC, OWNER } from './forms.ts'

export function readInstance(element: XmlElement, findings: Findings): Instance | undefined {
  const source = named('instance', element, findings)
  const id = attribute(source, 'name', INSTANCE_ID)
  const owner = required(source, 'ownerId', OWNER)
  const mac = readMac(source)
  const privateAddress = required(source, 'privateIp', HOST_ADDRESS)
  const publicAddress = readPublicAddress(source, privateAddress)
  const groups = requiredList(source, 'securityGroups', GROUP_ID)

  if (id === undefined || owner === undefined || !privateAddress) return undefined
  const instance = { id, owner, mac, publicAddress, privateAddress, groups: [...new Set(groups)] }
  return findings.place(instance, placeOf(source))
}

function readMac(source: Source): string | undefined {
  const mac = optional(source, 'macAddress', MAC)
  return mac === '00:00:00:00:00:00' ? undefined : mac
}

/** A cloud without public addresses repeats the private one; that is no public address, nothing is translated. */
function readPublicAddress(source: Source, privateAddress: Ipv4 | undefined): Ipv4 | undefined {
  const address = optional(source, 'publicIp', HOST_OR_NO_ADDRESS)
  return address === '0.0.0.0' || address === privateAddress ? undefined : address
}
