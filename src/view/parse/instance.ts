/** One instance; what it says about itself, not whether it fits the others. */

import type { Ipv4 } from '../ipv4.ts'
import type { Instance } from '../view.ts'
import type { XmlElement } from '../xml.ts'
import { attribute, field, isPresent, listOfParts, named, optional, placeOf, required, type Source } from './fields.ts'
import type { Findings } from './findings.ts'
import { GROUP_ID, HOST_ADDRESS, HOST_OR_NO_ADDRESS, INSTANCE_ID, MAC, OWNER } from './forms.ts'
import type { Needs } from './needs.ts'

interface ReadInstance {
  /** Undefined if it cannot be read, or is left out. */
  readonly instance: Instance | undefined
  /** Known of an instance that is left out, too, unless that is what is wrong with it. */
  readonly privateAddress: Ipv4 | undefined
}

export function readInstance(element: XmlElement, findings: Findings, needs: Needs): ReadInstance {
  const part = findings.within('instance')
  const source = named('instance', element, part)
  const id = attribute(source, 'name', INSTANCE_ID)
  const owner = required(source, 'ownerId', OWNER)
  const mac = readMac(source)
  const privateAddress = required(source, 'privateIp', HOST_ADDRESS)
  const publicAddress = readPublicAddress(source, privateAddress)
  const groups = needs.groups ? readMemberships(source) : []

  const isWhole = id !== undefined && owner !== undefined && privateAddress && !part.isLeftOut()
  if (!isWhole) return { instance: undefined, privateAddress }
  const instance = { id, owner, mac, publicAddress, privateAddress, groups: [...new Set(groups)] }
  return { instance: findings.place(instance, placeOf(source)), privateAddress }
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

/** An instance without a group is not left out: it has a network, only nothing is let in. */
function readMemberships(source: Source): readonly string[] {
  if (!isPresent(source, 'securityGroups')) {
    const line = field(source, 'securityGroups')?.line
    source.findings.within('membership').error(placeOf(source, line), 'securityGroups is missing')
  }
  return listOfParts(source, 'securityGroups', GROUP_ID, 'membership')
}
