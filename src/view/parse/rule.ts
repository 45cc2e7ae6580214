/**
 * One ingress rule. A rule must never let in more than its author wrote, and what cannot be said exactly is not said.
 *
 * - Source: a network, a group, or both (both must then hold). None is an error: the original accepted from anywhere.
 * - TCP, UDP: no ports at all is every port. A range is exact, also from port 0, where the original opened every port.
 *   One end without the other is a single port if it is the first, an error if it is the last.
 * - ICMP: -1 is any; any type means any code, as the original read it. A missing type or code is an error: the original
 *   read it as 0, an echo reply.
 * - Other protocols by number. -1 (all) cannot be said in one match, and iptables reads 0 as all, too: both are errors.
 *
 * Errors stop the whole cloud, so they are kept for what a cloud controller refuses to store. It does store ICMP types
 * and codes out of range, on any tenant's word: such a rule matches nothing, is left out, and is a warning.
 */

import type { IngressRule, RuleMatch, RuleSource } from '../view.ts'
import { isPresent, optional, placeOf, required, type Source } from './fields.ts'
import { CIDR, type Form, GROUP_ID, INTEGER } from './forms.ts'

const PORT: Form<number> = { is: 'a port (0 to 65535)', read: readPort }
const PROTOCOL: Form<number> = { is: 'the number of a protocol (1 to 255)', read: readProtocol }

export function readRule(source: Source): IngressRule | undefined {
  const match = readMatch(source)
  const from = readSource(source)
  return match && from && source.findings.place({ match, source: from }, placeOf(source))
}

function readMatch(source: Source): RuleMatch | undefined {
  const protocol = required(source, 'protocol', PROTOCOL)
  if (protocol === undefined) return undefined
  if (protocol === -1) {
    return source.findings.error(placeOf(source), 'protocol -1: a rule for all protocols at once cannot be carried out')
  }
  if (protocol === 1) return readIcmp(source)
  if (protocol === 6) return readPorts(source, 'tcp')
  if (protocol === 17) return readPorts(source, 'udp')
  return { protocol }
}

function readPorts(source: Source, protocol: 'tcp' | 'udp'): RuleMatch | undefined {
  if (!isPresent(source, 'fromPort') && !isPresent(source, 'toPort')) return { protocol, ports: 'all' }
  const from = required(source, 'fromPort', PORT)
  const to = isPresent(source, 'toPort') ? optional(source, 'toPort', PORT) : from
  if (from === undefined || to === undefined) return undefined
  if (to < from) return source.findings.error(placeOf(source), `toPort ${to} is below fromPort ${from}`)
  return { protocol, ports: { from, to } }
}

function readIcmp(source: Source): RuleMatch | undefined {
  const type = required(source, 'icmpType', INTEGER)
  const code = required(source, 'icmpCode', INTEGER)
  if (type === undefined || code === undefined) return undefined
  if (type === -1) return { protocol: 'icmp', type: 'any', code: 'any' }
  if (isOctet(type) && code === -1) return { protocol: 'icmp', type, code: 'any' }
  if (isOctet(type) && isOctet(code)) return { protocol: 'icmp', type, code }
  return source.findings.warning(placeOf(source), `there is no ICMP type ${type} code ${code}; the rule is left out`)
}

function readSource(source: Source): RuleSource | undefined {
  const group = optional(source, 'groupId', GROUP_ID)
  const cidr = optional(source, 'cidr', CIDR)
  if (group !== undefined) return cidr ? { group, cidr } : { group }
  if (cidr) return { cidr }
  if (isPresent(source, 'groupId') || isPresent(source, 'cidr')) return undefined
  return source.findings.error(placeOf(source), 'has no source, neither groupId nor cidr')
}

function readPort(text: string): number | undefined {
  const port = INTEGER.read(text)
  return port !== undefined && port >= 0 && port <= 65535 ? port : undefined
}

function readProtocol(text: string): number | undefined {
  const protocol = INTEGER.read(text)
  return protocol !== undefined && protocol >= -1 && protocol !== 0 && protocol <= 255 ? protocol : undefined
}

function isOctet(value: number): boolean {
  return value >= 0 && value <= 255
}
