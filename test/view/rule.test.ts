/** Every form a rule can have, alone in a view: what it means, or what is said about it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseView } from '../../src/view/parse.ts'

const EMPTY = readFileSync(join(import.meta.dirname, 'samples/edge-no-instances.v5.xml'), 'utf8')

type Fields = Readonly<Record<string, string | number>>

const ANYWHERE = { cidr: '0.0.0.0/0' }

function parse(fields: Fields) {
  const rule = Object.entries(fields).map(([name, value]) => `<${name}>${value}</${name}>`)
  const group = `<ownerId>1</ownerId><ingressRules><rule>${rule.join('')}</rule></ingressRules>`
  const groups = `<securityGroups><securityGroup name="sg-1">${group}</securityGroup></securityGroups>`
  expect(EMPTY).toContain('<securityGroups/>')
  return parseView(EMPTY.replace('<securityGroups/>', groups), 'v')
}

function rulesOf(fields: Fields) {
  const { view, findings } = parse(fields)
  expect(findings).toEqual([])
  return view?.groups[0]?.ingress
}

function complaints(fields: Fields): readonly string[] {
  const { view, findings } = parse(fields)
  expect(view?.groups[0]?.ingress ?? []).toEqual([])
  return findings.map(({ severity, message }) => `${severity}: ${message}`)
}

describe('what a rule matches', () => {
  test.each([
    [
      { protocol: 6, fromPort: 22, toPort: 22 },
      { protocol: 'tcp', ports: { from: 22, to: 22 } },
    ],
    [
      { protocol: 17, fromPort: 1024, toPort: 65535 },
      { protocol: 'udp', ports: { from: 1024, to: 65535 } },
    ],
    [{ protocol: 6 }, { protocol: 'tcp', ports: 'all' }],
    [
      { protocol: 6, fromPort: '', toPort: ' ' },
      { protocol: 'tcp', ports: 'all' },
    ],
    [
      { protocol: 6, fromPort: 22 },
      { protocol: 'tcp', ports: { from: 22, to: 22 } },
    ],
    [
      { protocol: 6, fromPort: 0, toPort: 80 },
      { protocol: 'tcp', ports: { from: 0, to: 80 } },
    ],
    [
      { protocol: 6, fromPort: 0, toPort: 0 },
      { protocol: 'tcp', ports: { from: 0, to: 0 } },
    ],
    [
      { protocol: 6, fromPort: 0 },
      { protocol: 'tcp', ports: { from: 0, to: 0 } },
    ],
    [
      { protocol: 6, fromPort: 0, toPort: 65535 },
      { protocol: 'tcp', ports: { from: 0, to: 65535 } },
    ],
    [
      { protocol: 6, fromPort: 22, toPort: 22, icmpType: 8 },
      { protocol: 'tcp', ports: { from: 22, to: 22 } },
    ],
    [
      { protocol: 1, icmpType: -1, icmpCode: -1 },
      { protocol: 'icmp', type: 'any', code: 'any' },
    ],
    [
      { protocol: 1, icmpType: -1, icmpCode: 4 },
      { protocol: 'icmp', type: 'any', code: 'any' },
    ],
    [
      { protocol: 1, icmpType: 3, icmpCode: -1 },
      { protocol: 'icmp', type: 3, code: 'any' },
    ],
    [
      { protocol: 1, icmpType: 3, icmpCode: 4 },
      { protocol: 'icmp', type: 3, code: 4 },
    ],
    [
      { protocol: 1, icmpType: 0, icmpCode: 0 },
      { protocol: 'icmp', type: 0, code: 0 },
    ],
    [{ protocol: 47 }, { protocol: 47 }],
    [{ protocol: 255 }, { protocol: 255 }],
  ])('%j', (fields, match) => {
    expect(rulesOf({ ...fields, ...ANYWHERE })).toEqual([
      { match, source: { cidr: { address: '0.0.0.0', prefix: 0 } } },
    ])
  })

  test.each([
    [{}, 'error: protocol is missing'],
    [{ protocol: -1 }, 'error: protocol -1: a rule for all protocols at once cannot be carried out'],
    [{ protocol: 0 }, 'error: protocol "0" is not the number of a protocol (1 to 255)'],
    [{ protocol: 256 }, 'error: protocol "256" is not the number of a protocol (1 to 255)'],
    [{ protocol: 'tcp' }, 'error: protocol "tcp" is not the number of a protocol (1 to 255)'],
    [{ protocol: '6 -j ACCEPT' }, 'error: protocol "6 -j ACCEPT" is not the number of a protocol (1 to 255)'],
    [{ protocol: 6, fromPort: 80, toPort: 22 }, 'error: toPort 22 is below fromPort 80'],
    [{ protocol: 6, fromPort: 80, toPort: 0 }, 'error: toPort 0 is below fromPort 80'],
    [{ protocol: 6, toPort: 22 }, 'error: fromPort is missing'],
    [
      { protocol: 6, fromPort: -1, toPort: -1 },
      'error: fromPort "-1" is not a port (0 to 65535)',
      'error: toPort "-1" is not a port (0 to 65535)',
    ],
    [{ protocol: 6, fromPort: 1, toPort: 65536 }, 'error: toPort "65536" is not a port (0 to 65535)'],
    [{ protocol: 17, fromPort: '0x16', toPort: 22 }, 'error: fromPort "0x16" is not a port (0 to 65535)'],
    [{ protocol: 17, fromPort: '022', toPort: 22 }, 'error: fromPort "022" is not a port (0 to 65535)'],
    [{ protocol: 1, icmpCode: -1 }, 'error: icmpType is missing'],
    [{ protocol: 1, icmpType: 8 }, 'error: icmpCode is missing'],
    [{ protocol: 1, icmpType: 'echo', icmpCode: 0 }, 'error: icmpType "echo" is not a number'],
  ])('not %j', (fields, ...messages) => {
    expect(complaints({ ...fields, ...ANYWHERE })).toEqual(messages)
  })

  test.each([
    [{ icmpType: 256, icmpCode: 0 }, 'type 256 code 0'],
    [{ icmpType: 8, icmpCode: 999 }, 'type 8 code 999'],
    [{ icmpType: -2, icmpCode: -1 }, 'type -2 code -1'],
    [{ icmpType: 3, icmpCode: -5 }, 'type 3 code -5'],
    [{ icmpType: 2147483647, icmpCode: -2147483648 }, 'type 2147483647 code -2147483648'],
  ])('%j is a tenant that must not stop the cloud', (fields, what) => {
    const rule = { protocol: 1, ...fields, ...ANYWHERE }
    expect(parse(rule).view).toBeDefined()
    expect(complaints(rule)).toEqual([`warning: there is no ICMP ${what}; the rule is left out`])
  })

  test('never more ports than its author wrote', () => {
    const port = fc.option(fc.integer({ min: -2, max: 65537 }), { nil: '' })
    fc.assert(
      fc.property(fc.constantFrom(6, 17), port, port, (protocol, fromPort, toPort) => {
        const { view } = parse({ protocol, fromPort, toPort, ...ANYWHERE })
        const match = view?.groups[0]?.ingress[0]?.match
        if (!match || !('ports' in match)) return
        if (match.ports === 'all') expect([fromPort, toPort]).toEqual(['', ''])
        else expect(match.ports).toEqual({ from: fromPort, to: toPort === '' ? fromPort : toPort })
      }),
    )
  })
})

describe('whom a rule lets in', () => {
  const match = { protocol: 47 }

  test.each([
    [{ cidr: '10.0.0.0/8' }, { cidr: { address: '10.0.0.0', prefix: 8 } }],
    [{ cidr: '10.1.2.3/8' }, { cidr: { address: '10.0.0.0', prefix: 8 } }],
    [{ cidr: '10.1.2.3' }, { cidr: { address: '10.1.2.3', prefix: 32 } }],
    [{ groupId: 'sg-1' }, { group: 'sg-1' }],
    [{ groupId: 'sg-1', groupOwnerId: 2, cidr: '' }, { group: 'sg-1' }],
    [
      { groupId: 'sg-1', cidr: '10.0.0.0/8' },
      { group: 'sg-1', cidr: { address: '10.0.0.0', prefix: 8 } },
    ],
  ])('%j', (fields, source) => {
    expect(rulesOf({ ...match, ...fields })).toEqual([{ match, source }])
  })

  test.each([
    [{}, 'error: has no source, neither groupId nor cidr'],
    [{ groupId: '', cidr: ' ' }, 'error: has no source, neither groupId nor cidr'],
    [{ groupOwnerId: 2 }, 'error: has no source, neither groupId nor cidr'],
    [{ cidr: '10.0.0.0/33' }, 'error: cidr "10.0.0.0/33" is not an IPv4 network'],
    [{ cidr: '10.0.0/8' }, 'error: cidr "10.0.0/8" is not an IPv4 network'],
    [{ cidr: 'any' }, 'error: cidr "any" is not an IPv4 network'],
    [{ cidr: '::/0' }, 'error: cidr "::/0" is not an IPv4 network'],
    [{ groupId: 'sg-1', cidr: 'any' }, 'error: cidr "any" is not an IPv4 network'],
  ])('not %j', (fields, message) => {
    expect(complaints({ ...match, ...fields })).toEqual([message])
  })

  test('a group that is not there is kept, with a warning', () => {
    const { view, findings } = parse({ ...match, groupId: 'sg-2' })
    expect(view?.groups[0]?.ingress).toEqual([{ match, source: { group: 'sg-2' } }])
    expect(findings.map(({ message }) => message)).toEqual([
      'names group sg-2, which is not in the view; it lets nothing in',
    ])
  })
})
