/** A private network: complete or not there at all, its gateway one of its addresses. */

import { broadcast, contains, network } from '../ipv4.ts'
import type { Subnet } from '../view.ts'
import { placeOf, required, type Source } from './fields.ts'
import { ADDRESS, NETMASK } from './forms.ts'

export function readSubnet(source: Source): Subnet | undefined {
  const address = required(source, 'subnet', ADDRESS)
  const prefix = required(source, 'netmask', NETMASK)
  const gateway = required(source, 'gateway', ADDRESS)
  if (!address || prefix === undefined || !gateway) return undefined

  const cidr = network(address, prefix)
  const shown = `${cidr.address}/${prefix}`
  if (cidr.address !== address) {
    source.findings.warning(placeOf(source), `subnet ${address} has host bits set, read as ${shown}`)
  }
  if (!contains(cidr, gateway)) return source.findings.error(placeOf(source), `gateway ${gateway} is not in ${shown}`)
  if (prefix < 31 && (gateway === cidr.address || gateway === broadcast(cidr))) {
    return source.findings.error(placeOf(source), `gateway ${gateway} is not a host of ${shown}`)
  }
  return source.findings.place({ network: cidr, gateway }, placeOf(source))
}
