/**
 * `VNET_MACMAP`: `MAC=address` pairs, each what one instance is given. The original passes over a pair that it cannot
 * read; takes an address twice, after which its DHCP server refuses the whole file; and takes one outside the network, to
 * which nobody ever answers. All of these are errors here.
 */

import { broadcast, type Cidr, contains, formatCidr, type Ipv4 } from '../ipv4.ts'
import type { Findings } from '../parse/findings.ts'
import { HOST_ADDRESS, MAC } from '../parse/forms.ts'
import { quote } from '../parse/quote.ts'
import type { Line } from '../wire34/element.ts'

export interface Pair {
  readonly mac: string
  readonly address: Ipv4
}

export interface Lan {
  readonly network: Cidr
  readonly router: Ipv4
}

export function readMacMap(line: Line, lan: Lan, findings: Findings): readonly Pair[] {
  const pairs: Pair[] = []
  for (const token of line.text.split(/\s+/)) {
    const problem = (text: string) => findings.error({ ...line, label: '' }, `VNET_MACMAP ${quote(token)} ${text}`)
    const [macText, addressText, ...rest] = token.split('=')
    if (macText === undefined || addressText === undefined || rest.length > 0) {
      problem('is not MAC=address')
      continue
    }
    const mac = MAC.read(macText)
    const address = HOST_ADDRESS.read(addressText)
    if (mac === undefined) problem(`does not begin with ${MAC.is}, which has six parts`)
    if (!address) problem(`does not end with ${HOST_ADDRESS.is}`)
    if (mac === undefined || !address) continue
    const doubt = misfit({ mac, address }, lan, pairs)
    if (doubt === undefined) pairs.push({ mac, address })
    else problem(doubt)
  }
  return pairs
}

function misfit({ mac, address }: Pair, { network, router }: Lan, before: readonly Pair[]): string | undefined {
  if (mac === '00:00:00:00:00:00' || /^.[13579bdf]/.test(mac)) return 'has a MAC address that no interface can have'
  if (!contains(network, address)) return `is outside ${formatCidr(network)}`
  if ([network.address, broadcast(network)].includes(address)) return `is not a host of ${formatCidr(network)}`
  if (address === router) return 'has the address of VNET_ROUTER'
  if (before.some((pair) => pair.mac === mac)) return 'has a MAC address that stood before'
  if (before.some((pair) => pair.address === address)) return 'has an address that stood before'
  return undefined
}
