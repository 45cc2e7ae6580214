/** IPv4 arithmetic on canonical text: strict dotted quads only, no octal, no short forms, no host names. */

/** Four decimal octets without leading zeros; nothing else is ever held in this type. */
export type Ipv4 = string & { readonly ipv4: unique symbol }

/** A network: host bits are clear. */
export interface Cidr {
  readonly address: Ipv4
  readonly prefix: number
}

/** Both ends belong to it. */
export interface Range {
  readonly first: Ipv4
  readonly last: Ipv4
}

const QUAD = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/

export function parseIpv4(text: string): Ipv4 | undefined {
  const octets = QUAD.exec(text)?.slice(1)
  const valid = octets?.every((octet) => Number(octet) <= 255 && String(Number(octet)) === octet)
  return valid ? (text as Ipv4) : undefined
}

export function toNumber(address: Ipv4): number {
  return address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
}

export function toIpv4(value: number): Ipv4 {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.') as Ipv4
}

export function maskOf(prefix: number): number {
  return prefix === 0 ? 0 : (~0 << (32 - prefix)) >>> 0
}

export function netmask(cidr: Cidr): Ipv4 {
  return toIpv4(maskOf(cidr.prefix))
}

export function broadcast(cidr: Cidr): Ipv4 {
  return toIpv4((toNumber(cidr.address) | ~maskOf(cidr.prefix)) >>> 0)
}

/** `a.b.c.d` is a /32; host bits are cleared, as iptables would. */
export function parseCidr(text: string): Cidr | undefined {
  const [addressText = '', prefixText = '32', ...rest] = text.split('/')
  const address = parseIpv4(addressText)
  if (!address || rest.length > 0 || !/^(0|[1-9]\d?)$/.test(prefixText) || Number(prefixText) > 32) return undefined
  return network(address, Number(prefixText))
}

export function network(address: Ipv4, prefix: number): Cidr {
  return { address: toIpv4((toNumber(address) & maskOf(prefix)) >>> 0), prefix }
}

/** The prefix length of a netmask; undefined unless its ones are contiguous. */
export function prefixOf(mask: Ipv4): number | undefined {
  const prefix = toNumber(mask).toString(2).padStart(32, '0').lastIndexOf('1') + 1
  return maskOf(prefix) === toNumber(mask) ? prefix : undefined
}

export function contains(cidr: Cidr, address: Ipv4): boolean {
  return network(address, cidr.prefix).address === cidr.address
}

/** `a` or `a-b`, both ends inclusive. */
export function parseRange(text: string): Range | undefined {
  const [firstText = '', lastText = firstText, ...rest] = text.split('-')
  const first = parseIpv4(firstText.trim())
  const last = parseIpv4(lastText.trim())
  if (!first || !last || rest.length > 0 || toNumber(first) > toNumber(last)) return undefined
  return { first, last }
}

export function inRange(range: Range, address: Ipv4): boolean {
  const value = toNumber(address)
  return toNumber(range.first) <= value && value <= toNumber(range.last)
}

export function formatCidr(cidr: Cidr): string {
  return `${cidr.address}/${cidr.prefix}`
}

export function formatRange(range: Range): string {
  return range.first === range.last ? range.first : `${range.first}-${range.last}`
}

export function byAddress(a: Ipv4, b: Ipv4): number {
  return toNumber(a) - toNumber(b)
}
