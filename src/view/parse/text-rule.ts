/**
 * Ingress rules as text, which is all that clouds before 4.1 have:
 *
 *   -P tcp -p 22-22  -s 0.0.0.0/0                 protocols by name up to 4.1.1, by number since
 *   -P icmp -t TYPE:CODE  -o GROUP -u ACCOUNT     -1 is any
 *   -P 47 -s 192.0.2.9/32                         other protocols have neither
 *
 * Such a text is taken apart into the fields of a structured rule and then read as one, so that both mean the same.
 */

import type { XmlElement } from '../xml.ts'

const TEXT = /^-P\s+(\S+)(?:\s+-p\s+(\S+?)-(\S+)|\s+-t\s+(\S+?):(\S+))?\s+(?:-s\s+(\S+)|-o\s+(\S+)\s+-u\s+(\S+))$/

const NUMBERS: Readonly<Partial<Record<string, string>>> = { icmp: '1', tcp: '6', udp: '17' }

/** Undefined if the text is none of these forms. */
export function readTextRule(element: XmlElement): XmlElement | undefined {
  const [matched, protocol = '', fromPort, toPort, icmpType, icmpCode, cidr, groupId, groupOwnerId] =
    TEXT.exec(element.text.trim()) ?? []
  if (matched === undefined) return undefined
  const number = NUMBERS[protocol] ?? protocol
  if ((fromPort !== undefined) !== (number === '6' || number === '17')) return undefined
  if ((icmpType !== undefined) !== (number === '1')) return undefined

  const fields = { protocol: number, fromPort, toPort, icmpType, icmpCode, groupId, groupOwnerId, cidr }
  const children = Object.entries(fields).flatMap(([name, text]) => {
    return text === undefined ? [] : [{ ...element, name, text, children: [] }]
  })
  return { ...element, name: 'rule', text: '', children }
}
