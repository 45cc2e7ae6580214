/** What instances and groups are given where nobody says it: the same again in every later reading, as long as they are. */

import { describe, expect, it } from 'vitest'
import { readInstanceList } from '../../src/config/instance-list.ts'
import { type Allocation, NOTHING_ALLOCATED } from '../../src/view/conf/allocation.ts'
import { segmentOf } from '../../src/view/conf/give-segments.ts'
import { broadcast, formatCidr, parseCidr } from '../../src/view/ipv4.ts'
import type { ParsedConf } from '../../src/view/parse.ts'
import { CUT, LIST, listOf, MAPPED, problems, readConfiguration, textOf } from './any-conf.ts'

const NODE = '192.168.1.11'

function one(id: number, more = ''): string {
  return `i-0000000${id}: { node: ${NODE}${more} }`
}

function addresses({ view }: ParsedConf): Readonly<Record<string, string>> {
  return Object.fromEntries(view?.instances.map(({ id, privateAddress }) => [id, privateAddress]) ?? [])
}

function readMapped(list: string, before: Allocation = NOTHING_ALLOCATED): ParsedConf {
  return readConfiguration(textOf(MAPPED), list, before)
}

function readCut(list: string, before: Allocation = NOTHING_ALLOCATED, values = {}): ParsedConf {
  return readConfiguration(textOf({ ...CUT, ...values }), list, before)
}

/** What a reading has given out, or everything that was wrong with it. */
function given(parsed: ParsedConf): Allocation {
  expect(problems(parsed)).toEqual([])
  return parsed.allocation ?? NOTHING_ALLOCATED
}

describe('pairs of a map', () => {
  it('are given in the order of the list, the first that is free, with their MAC address', () => {
    const { view, findings } = readMapped(LIST)
    expect(findings).toEqual([])
    expect(view?.instances).toMatchObject([
      {
        id: 'i-00000001',
        mac: 'aa:dd:11:ce:ff:ed',
        privateAddress: '192.168.1.20',
        publicAddress: undefined,
        groups: [],
      },
      { id: 'i-00000002', mac: 'aa:dd:11:ce:ff:ee', privateAddress: '192.168.1.21' },
    ])
  })

  it('stay with whom they are, the last one too, and are free when he is gone', () => {
    const first = given(readMapped(listOf(one(1), one(2), one(3))))
    const rest = readMapped(listOf(one(3), one(2)), first)
    expect(addresses(rest)).toEqual({ 'i-00000002': '192.168.1.21', 'i-00000003': '192.168.1.22' })
    const next = readMapped(listOf(one(4), one(3), one(2)), given(rest))
    expect(addresses(next)).toMatchObject({ 'i-00000003': '192.168.1.22', 'i-00000004': '192.168.1.20' })
  })

  it('that somebody has left are the last to be given', () => {
    const first = given(readMapped(listOf(one(1), one(2))))
    const next = given(readMapped(listOf(one(2), one(3)), first))
    expect(next.addresses.get('i-00000003')).toBe('192.168.1.22')
    expect(
      given(
        readMapped(listOf(one(2), one(3), one(4)), {
          ...first,
          addresses: new Map([...first.addresses, ...next.addresses]),
        }),
      ).addresses,
    ).toEqual(
      new Map([
        ['i-00000002', '192.168.1.21'],
        ['i-00000003', '192.168.1.22'],
        ['i-00000004', '192.168.1.20'],
      ]),
    )
  })

  it('can be named, by address or MAC address', () => {
    const list = listOf(one(1), one(2, ', address: 192.168.1.20'), one(3, ', mac: "aa:dd:11:ce:ff:ee"'))
    expect(addresses(readMapped(list))).toEqual({
      'i-00000001': '192.168.1.22',
      'i-00000002': '192.168.1.20',
      'i-00000003': '192.168.1.21',
    })
  })

  it.each([
    [
      [one(1, ', address: 192.168.1.30')],
      'instances.yml:8 instance i-00000001: "192.168.1.30" is no pair of VNET_MACMAP',
    ],
    [
      [one(1, ', address: 192.168.1.20, mac: "aa:dd:11:ce:ff:ee"')],
      'instances.yml:8 instance i-00000001: "aa:dd:11:ce:ff:ee=192.168.1.20" is no pair of VNET_MACMAP',
    ],
    [
      [one(1, ', address: 192.168.1.20'), one(2, ', address: 192.168.1.20')],
      'instances.yml:9 instance i-00000002: address 192.168.1.20 is also that of instance i-00000001 (line 8)',
    ],
    [
      [one(1), one(2), one(3), one(4)],
      'instances.yml:11 instance i-00000004: VNET_MACMAP has no pair left for it: all 3 are taken',
    ],
  ])('%#: are refused to who cannot have them', (instances, problem) => {
    expect(problems(readMapped(listOf(...instances)))).toContain(`error ${problem}`)
  })
})

describe('segments', () => {
  it.each([
    ['172.16.0.0/16', 32, 512, '172.16.63.192/27', '172.16.63.223'],
    ['172.16.0.0/16', 32, 513, '172.16.63.224/27', '172.16.63.255'],
    ['192.168.0.0/16', 64, 2, '192.168.0.0/26', '192.168.0.63'],
    ['192.168.0.0/16', 64, 3, '192.168.0.64/26', '192.168.0.127'],
    ['10.0.0.0/8', 2048, 4095, '10.127.232.0/21', '10.127.239.255'],
    ['10.0.0.0/24', 16, 3, '10.0.0.16/28', '10.0.0.31'],
  ])('of %s in parts of %i: tag %i is %s', (text, size, tag, segment, last) => {
    const network = parseCidr(text)
    if (!network) throw new Error(text)
    const cidr = segmentOf(tag, { network, size })
    expect([formatCidr(cidr), broadcast(cidr)]).toEqual([segment, last])
  })

  it('are given the lowest tag, their instances the lowest address after those of gateways', () => {
    const parsed = readCut(LIST)
    expect(given(parsed).tags).toEqual(
      new Map([
        ['sg-11111111', 2],
        ['sg-22222222', 3],
      ]),
    )
    expect(parsed.view?.instances).toMatchObject([
      { id: 'i-00000001', mac: 'd0:0d:00:00:00:01', privateAddress: '172.16.0.9', groups: ['sg-11111111'] },
      { id: 'i-00000002', mac: 'd0:0d:00:00:00:02', privateAddress: '172.16.0.41' },
    ])
    expect(parsed.view?.managedSubnet).toMatchObject({ segmentSize: 32, clusters: ['one'] })
  })

  const inGroup = (id: number, group: number, more = '') => one(id, `, groups: [sg-${String(group).repeat(8)}]${more}`)

  it('stay with their group as long as somebody is in it', () => {
    const first = given(readCut(listOf(inGroup(1, 1), inGroup(2, 2), inGroup(3, 2))))
    const second = readCut(listOf(inGroup(3, 2), inGroup(4, 2)), first)
    expect(given(second).tags).toEqual(new Map([['sg-22222222', 3]]))
    expect(addresses(second)).toEqual({ 'i-00000003': '172.16.0.42', 'i-00000004': '172.16.0.43' })
    const third = readCut(listOf(inGroup(5, 1), inGroup(3, 2)), given(second))
    expect(given(third).tags).toEqual(
      new Map([
        ['sg-11111111', 2],
        ['sg-22222222', 3],
      ]),
    )
  })

  it('are those of the addresses that somebody says', () => {
    const parsed = readCut(listOf(inGroup(1, 1), inGroup(2, 1, ', address: 172.16.63.201'), inGroup(3, 2)))
    expect(given(parsed).tags).toEqual(
      new Map([
        ['sg-11111111', 512],
        ['sg-22222222', 2],
      ]),
    )
    expect(addresses(parsed)).toEqual({
      'i-00000001': '172.16.63.202',
      'i-00000002': '172.16.63.201',
      'i-00000003': '172.16.0.9',
    })
  })

  it('are refused when none is left', () => {
    const values = { VNET_SUBNET: '10.0.0.0', VNET_NETMASK: '255.255.255.192', VNET_ADDRSPERNET: '16' }
    expect(problems(readCut(listOf(inGroup(1, 1), inGroup(2, 2)), NOTHING_ALLOCATED, values))).toEqual([
      'error instances.yml:9 instance i-00000002: there is no tag left for group sg-22222222: 2 to 2 are taken',
    ])
    const many = Array.from({ length: 7 }, (_, index) => inGroup(index + 1, 1))
    expect(problems(readCut(listOf(...many), NOTHING_ALLOCATED, values))).toEqual([
      'error instances.yml:14 instance i-00000007: group sg-11111111 has no address left for it: tag 2 has 6',
    ])
  })

  it('are kept inside the tags that the list allows', () => {
    const list = `tags: { first: 512, last: 513 }\n${listOf(inGroup(1, 1), inGroup(2, 2))}`
    expect(given(readCut(list)).tags).toEqual(
      new Map([
        ['sg-11111111', 512],
        ['sg-22222222', 513],
      ]),
    )
  })

  it('never move under who is there', () => {
    const first = given(readCut(LIST))
    expect(problems(readCut(LIST, first, { VNET_ADDRSPERNET: '64' }))).toEqual([
      'error instances.yml:9 instance i-00000002: has had 172.16.0.41, which is no address of the segment of tag 3 any more: say its address',
    ])
    expect(problems(readCut(LIST, first, { VNET_SUBNET: '172.20.0.0' }))).toHaveLength(2)
    const taken = readCut(listOf(inGroup(1, 1), inGroup(2, 2, ', address: 172.16.0.10')), first)
    expect(problems(taken)).toEqual([
      'error instances.yml:9 instance i-00000002: group sg-22222222 has tag 2, which is that of group sg-11111111',
    ])
  })

  it.each([
    [inGroup(1, 1, ', address: 172.17.0.9'), '172.17.0.9 is outside 172.16.0.0/16'],
    [inGroup(1, 1, ', address: 172.16.0.8'), '172.16.0.8 is not one that instances of tag 2 may have'],
    [inGroup(1, 1, ', address: 172.16.0.31'), '172.16.0.31 is not one that instances of tag 2 may have'],
    [one(1), 'securityGroups is missing'],
    [inGroup(1, 3), 'is in group sg-33333333, which is not in the view'],
    [one(1, ', groups: [sg-11111111]').replace(NODE, '192.168.1.13'), 'node 192.168.1.13 is in no cluster'],
  ])('%#: are nobody’s who is not whole', (instance, problem) => {
    expect(problems(readCut(listOf(instance)))).toContainEqual(`error instances.yml:8 instance i-00000001: ${problem}`)
  })
})

it.each([
  ['clusters: {}\n', 'instances.yml:1:1: clusters: must be a map of at least one cluster'],
  ['instances: {}\n', 'instances.yml:1:1: key "clusters" is missing'],
  [listOf('i-00000001: { nodes: 192.168.1.11 }'), 'instances.yml:8:17: instances.i-00000001: unknown key "nodes"'],
  [
    listOf('i-00000001: { node: 192.168.1.11.4 }'),
    'instances.yml:8:23: instances.i-00000001.node: must be the address',
  ],
  [
    listOf('i-00000001: { node: 192.168.1.11 }', 'i-00000001: { node: 192.168.1.12 }'),
    'instances.yml:9:3: key i-00000001 stands twice',
  ],
])('%#: a list that is not one is refused, with its place', (text, problem) => {
  expect(() => readInstanceList(text, 'instances.yml')).toThrow(problem)
})
