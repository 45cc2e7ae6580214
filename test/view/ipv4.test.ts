import { isIPv4 } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  broadcast,
  byAddress,
  contains,
  formatCidr,
  formatRange,
  inRange,
  maskOf,
  netmask,
  network,
  parseCidr,
  parseIpv4,
  parseRange,
  prefixOf,
  toIpv4,
  toNumber,
} from '../../src/view/ipv4.ts'

const number = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const address = number.map(toIpv4)
const prefix = fc.integer({ min: 0, max: 32 })
/** Near misses: octets too large, too many, with signs, blanks and leading zeros. */
const almost = fc
  .array(fc.oneof(fc.integer({ min: -1, max: 300 }).map(String), fc.constantFrom('', '00', '01', '1 ', '0x1', '1e1')), {
    minLength: 3,
    maxLength: 5,
  })
  .map((octets) => octets.join('.'))

test('exactly what node calls an IPv4 address is one', () => {
  fc.assert(
    fc.property(fc.oneof(almost, fc.string(), fc.ipV4(), fc.ipV4Extended()), (text) => {
      expect(parseIpv4(text)).toBe(isIPv4(text) ? text : undefined)
    }),
    { numRuns: 2000 },
  )
})

test('numbers and addresses are two spellings of one thing', () => {
  fc.assert(
    fc.property(number, (value) => {
      const text = toIpv4(value)
      expect(isIPv4(text)).toBe(true)
      expect(toNumber(text)).toBe(value)
    }),
  )
})

test('a network holds exactly the addresses from itself to its broadcast', () => {
  fc.assert(
    fc.property(address, prefix, address, (base, length, other) => {
      const cidr = network(base, length)
      const first = toNumber(cidr.address)
      const last = toNumber(broadcast(cidr))
      expect(last - first + 1).toBe(2 ** (32 - length))
      expect(first % (last - first + 1)).toBe(0)
      expect(contains(cidr, base)).toBe(true)
      expect(contains(cidr, other)).toBe(first <= toNumber(other) && toNumber(other) <= last)
    }),
  )
})

test('a netmask is its prefix length, and nothing but a prefix length is a netmask', () => {
  fc.assert(
    fc.property(address, prefix, (base, length) => {
      expect(prefixOf(netmask(network(base, length)))).toBe(length)
    }),
  )
  const masks = new Set(Array.from({ length: 33 }, (_, length) => 2 ** 32 - 2 ** (32 - length)))
  fc.assert(
    fc.property(fc.oneof(number, fc.constantFrom(...masks)), (value) => {
      const length = prefixOf(toIpv4(value))
      expect(length === undefined).toBe(!masks.has(value))
      if (length !== undefined) expect(maskOf(length)).toBe(value)
    }),
  )
})

test('a network reads back as it is written, and without a prefix it is one address', () => {
  fc.assert(
    fc.property(address, prefix, (base, length) => {
      const cidr = network(base, length)
      expect(parseCidr(formatCidr(cidr))).toEqual(cidr)
      expect(parseCidr(`${base}/${length}`)).toEqual(cidr)
      expect(parseCidr(base)).toEqual({ address: base, prefix: 32 })
    }),
  )
})

test('a range reads back as it is written, and both ends are in it', () => {
  fc.assert(
    fc.property(address, address, address, (one, two, other) => {
      const [first, last] = [one, two].sort(byAddress) as [typeof one, typeof two]
      const range = { first, last }
      expect(parseRange(formatRange(range))).toEqual(range)
      expect(inRange(range, first) && inRange(range, last)).toBe(true)
      expect(inRange(range, other)).toBe([first, other, last].toSorted(byAddress)[1] === other)
      expect(parseRange(`${last}-${first}`)).toEqual(first === last ? range : undefined)
    }),
  )
})

test.each([
  ['10.0.0.0/33'],
  ['10.0.0.0/-1'],
  ['10.0.0.0/08'],
  ['10.0.0.0/'],
  ['10.0.0.0/8/8'],
  ['10.0.0/8'],
  ['10.0.0.0/255.0.0.0'],
  ['/8'],
  [''],
])('%j is not a network', (text) => {
  expect(parseCidr(text)).toBeUndefined()
})

test.each([['10.0.0.1-'], ['-10.0.0.1'], ['10.0.0.1-10.0.0.2-10.0.0.3'], ['10.0.0.0/24'], ['10.0.0.1-9'], ['']])(
  '%j is not a range',
  (text) => {
    expect(parseRange(text)).toBeUndefined()
  },
)
