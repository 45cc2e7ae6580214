/** What is read of eucalyptus.conf, key by key, and what is refused, with its line. */

import { describe, expect, it } from 'vitest'
import { formatRange } from '../../src/view/ipv4.ts'
import { CUT, DEMANDS, listOf, MAPPED, problems, readConfiguration as read, textOf, type Values } from './any-conf.ts'

function withValues(base: Values, changes: Values): string {
  return textOf({ ...base, ...changes })
}

describe('a file', () => {
  it.each([
    ['VNET_DNS=192.168.1.2', '192.168.1.2'],
    ["  VNET_DNS='192.168.1.2'   # the resolver", '192.168.1.2'],
    ['OTHER="a b" VNET_DNS="192.168.1.2" LAST=$(date)', '192.168.1.2'],
  ])('with %s is read as a shell would', (line, dns) => {
    const { VNET_DNS: _, ...rest } = MAPPED
    const { view, findings } = read(`# a comment\n\n${textOf(rest)}${line}\n`)
    expect(findings).toEqual([])
    expect(view?.dnsServers).toEqual([dns])
  })

  it.each([
    ['VNET_DNS="192.168.1.2', 'eucalyptus.conf:8: "VNET_DNS=\\"192.168.1.2" is not KEY="value"'],
    ['if true; then', 'eucalyptus.conf:8: "if true; then" is not KEY="value"'],
    ['VNET_DNS="$RESOLVER"', 'eucalyptus.conf:8: VNET_DNS is there twice, also in line 6, with another value'],
    ['VNET_DOMAINNAME="$HOSTNAME.cloud"', 'eucalyptus.conf:8: VNET_DOMAINNAME "$HOSTNAME.cloud" is not plain text'],
  ])('is refused with %s', (line, problem) => {
    expect(problems(read(`${textOf(MAPPED)}${line}\n`))).toContain(`error ${problem}`)
  })

  it.each([...Object.entries(DEMANDS).flatMap(([mode, { keys }]) => keys.map((key) => [mode, key] as const))])(
    'of mode %s is refused without %s',
    (mode, key) => {
      const values = mode === 'CUT' ? CUT : MAPPED
      for (const text of [
        withValues(values, { [key]: '' }),
        textOf(values).replace(new RegExp(`^${key}=.*\n`, 'm'), ''),
      ]) {
        expect(problems(read(text))).toEqual([
          `error eucalyptus.conf:1: ${key} is missing: mode ${mode} cannot do without`,
        ])
      }
    },
  )

  it('is refused without a mode, and with one that publishes a view', () => {
    expect(problems(read('VNET_BRIDGE="br0"\n'))).toEqual([
      'error eucalyptus.conf:1: VNET_MODE is missing: set it, or say it, --mode NAME',
    ])
    expect(problems(read('VNET_MODE="OTHER"\n'))).toEqual([
      'error eucalyptus.conf:1: a cloud of mode OTHER publishes a view: name that, and not its configuration file',
    ])
  })

  it.each([
    [MAPPED, 'VNET_SUBNET', '192.168.1', 'VNET_SUBNET "192.168.1" is not a usable IPv4 address'],
    [MAPPED, 'VNET_SUBNET', '192.168.1.7', 'VNET_SUBNET 192.168.1.7 has bits set that VNET_NETMASK clears'],
    [MAPPED, 'VNET_NETMASK', '255.0.255.0', 'VNET_NETMASK "255.0.255.0" is not a netmask'],
    [MAPPED, 'VNET_NETMASK', '24', 'VNET_NETMASK "24" is not a netmask'],
    [
      MAPPED,
      'VNET_BROADCAST',
      '192.168.1.254',
      'VNET_BROADCAST 192.168.1.254 is not 192.168.1.255, that of 192.168.1.0/24',
    ],
    [MAPPED, 'VNET_ROUTER', '192.168.2.1', 'VNET_ROUTER 192.168.2.1 is not a host of 192.168.1.0/24'],
    [MAPPED, 'VNET_ROUTER', '192.168.1.255', 'VNET_ROUTER 192.168.1.255 is not a host of 192.168.1.0/24'],
    [MAPPED, 'VNET_DNS', '192.168.1.2 192.168.1.3', 'VNET_DNS "192.168.1.2 192.168.1.3" is not a usable IPv4 address'],
    [MAPPED, 'VNET_DOMAINNAME', 'a;b', 'VNET_DOMAINNAME "a;b" is not a domain name'],
    [CUT, 'VNET_MACPREFIX', 'd0', 'VNET_MACPREFIX "d0" is not the first two parts of a MAC address, such as d0:0d'],
    [CUT, 'VNET_ADDRSPERNET', '24', 'VNET_ADDRSPERNET "24" is not a power of two between 16 and 2048'],
    [CUT, 'VNET_ADDRSPERNET', '8', 'VNET_ADDRSPERNET "8" is not a power of two between 16 and 2048'],
    [CUT, 'VNET_ADDRSPERNET', '4096', 'VNET_ADDRSPERNET "4096" is not a power of two between 16 and 2048'],
  ] as const)('%#: is refused with %s', (base, key, value, problem) => {
    const text = withValues(base, { [key]: value })
    const line = text.split('\n').findIndex((one) => one.startsWith(`${key}=`)) + 1
    expect(problems(read(text))).toEqual([`error eucalyptus.conf:${line}: ${problem}`])
  })
})

describe('a network of somebody else', () => {
  const text = textOf({ VNET_MODE: 'FOREIGN', VNET_DNS: 'of no use here', VNET_MACPREFIX: 'd0:0d' })

  it('has instances without addresses, which are in no view, and others', () => {
    const list = listOf('i-00000001: { node: 192.168.1.11 }', 'i-3F8A07B2: { node: 192.168.1.11, address: 10.0.0.7 }')
    const { view, findings } = read(text, list)
    expect(findings).toEqual([])
    expect(view).toMatchObject({ cloudController: undefined, dnsServers: [], groups: [] })
    expect(view?.instances).toMatchObject([{ id: 'i-3F8A07B2', mac: 'd0:0d:3f:8a:07:b2', groups: [] }])
  })

  it('has none whose id is none, or whose node is in no cluster', () => {
    const list = listOf('i-1: { node: 192.168.1.11 }', 'i-00000002: { node: 192.168.1.19 }')
    expect(problems(read(text, list))).toEqual([
      'error instances.yml:8 instance "i-1": name "i-1" is not an instance id (i- and 8 to 17 hexadecimal digits)',
      'error instances.yml:9 instance i-00000002: node 192.168.1.19 is in no cluster',
    ])
  })
})

describe('VNET_PUBLICIPS', () => {
  it.each([
    ['10.0.0.5', '10.0.0.5'],
    ['10.0.0.7 10.0.0.5', '10.0.0.5 10.0.0.7'],
    ['10.0.0.5  10.0.0.6', '10.0.0.5-10.0.0.6'],
    ['10.0.0.5 10.0.0.5', '10.0.0.5'],
    ['10.0.0.0/29', '10.0.0.1-10.0.0.6'],
    ['10.0.0.0/30', '10.0.0.1-10.0.0.2'],
    ['10.0.0.0/16', '10.0.0.1-10.0.255.254'],
    ['10.0.0.1-10.0.0.3', '10.0.0.1-10.0.0.3'],
    ['10.0.0.0-10.0.0.255', '10.0.0.0-10.0.0.255'],
    ['10.0.0.1-10.0.0.5 !10.0.0.3', '10.0.0.1-10.0.0.2 10.0.0.4-10.0.0.5'],
    ['10.0.0.0/29 !10.0.0.1 !10.0.0.6', '10.0.0.2-10.0.0.5'],
    ['10.0.0.1 !10.0.0.1', ''],
    ['10.0.0.1 !10.0.0.1 10.0.0.1', '10.0.0.1'],
  ])('%s is %s', (text, pool) => {
    const { view, findings } = read(withValues(CUT, { VNET_PUBLICIPS: text }))
    expect(findings).toEqual([])
    expect(view?.publicPool.map(formatRange).join(' ')).toBe(pool)
  })

  it.each([
    ['10.0.0', 'is not an address, a network, a range first-last or one of them after !'],
    ['10.0.0.1-10.0.0.2-10.0.0.3', 'is not an address, a network, a range first-last or one of them after !'],
    ['10.0.0.1,10.0.0.2', 'is not an address, a network, a range first-last or one of them after !'],
    ['10.0.0.3-10.0.0.1', 'ends before it begins'],
    ['10.0.0.0-10.0.1.0', 'has more than 256 addresses'],
    ['10.0.0.0/31', 'has no address between its first and its last'],
    ['10.0.0.1/32', 'has no address between its first and its last'],
    ['10.0.0.0/33', 'is not a network'],
    ['10.0.0/24', 'is not a network'],
    ['255.255.255.254/29', 'ends after 255.255.255.255'],
    ['127.0.0.1', 'has addresses that no instance can have'],
    ['127.0.0.1-127.0.0.3', 'has addresses that no instance can have'],
    ['0.0.0.0', 'has addresses that no instance can have'],
    ['169.254.0.0/16', 'has addresses that no instance can have'],
    ['224.0.0.1', 'has addresses that no instance can have'],
    ['!10.0.0.0/29', 'is not an address that could be taken away'],
  ])('%s is refused', (text, problem) => {
    expect(problems(read(withValues(CUT, { VNET_PUBLICIPS: `10.9.9.9 ${text}` })))).toEqual([
      `error eucalyptus.conf:6: VNET_PUBLICIPS "${text}" ${problem}`,
    ])
  })

  it('is doubted where it takes away what it never had, and where a network has host bits', () => {
    const { view, ...parsed } = read(withValues(CUT, { VNET_PUBLICIPS: '!10.9.9.9 10.0.0.5/29' }))
    expect(problems({ view, ...parsed })).toEqual([
      'warning eucalyptus.conf:6: VNET_PUBLICIPS "!10.9.9.9" takes nothing away: it was not added before',
      'warning eucalyptus.conf:6: VNET_PUBLICIPS "10.0.0.5/29" begins inside a network: 10.0.0.6-10.0.0.11 is read',
    ])
    expect(view?.publicPool.map(formatRange)).toEqual(['10.0.0.6-10.0.0.11'])
  })
})

describe('VNET_MACMAP', () => {
  it.each([
    ['AA:DD:CE:FF:EE=192.168.1.23', 'does not begin with a MAC address, which has six parts'],
    ['AA:DD:11:CE:FF:F0', 'is not MAC=address'],
    ['AA:DD:11:CE:FF:F0=192.168.1.23=192.168.1.24', 'is not MAC=address'],
    ['AA:DD:11:CE:FF:F0=192.168.1', 'does not end with an IPv4 address an instance can have'],
    ['AA:DD:11:CE:FF:F0=192.168.2.23', 'is outside 192.168.1.0/24'],
    ['AA:DD:11:CE:FF:F0=192.168.1.255', 'is not a host of 192.168.1.0/24'],
    ['AA:DD:11:CE:FF:F0=192.168.1.1', 'has the address of VNET_ROUTER'],
    ['aa:dd:11:ce:ff:ed=192.168.1.23', 'has a MAC address that stood before'],
    ['AA:DD:11:CE:FF:F0=192.168.1.20', 'has an address that stood before'],
    ['AB:DD:11:CE:FF:F0=192.168.1.23', 'has a MAC address that no interface can have'],
  ])('%s is refused', (pair, problem) => {
    expect(problems(read(withValues(MAPPED, { VNET_MACMAP: `${MAPPED.VNET_MACMAP} ${pair}` })))).toEqual([
      `error eucalyptus.conf:7: VNET_MACMAP "${pair}" ${problem}`,
    ])
  })

  it('takes more than one blank between pairs, and every pair that the network has room for', () => {
    const pairs = Array.from({ length: 13 }, (_, index) => `AA:DD:11:CE:00:${index + 10}=192.168.1.${index + 2}`)
    const values = { VNET_NETMASK: '255.255.255.240', VNET_BROADCAST: '192.168.1.15', VNET_MACMAP: pairs.join('   ') }
    const { view, findings } = read(withValues(MAPPED, values))
    expect(findings).toEqual([])
    expect(view?.clusters[0]?.privatePool.length).toBe(13)
  })
})
