/**
 * What a piece of text in a view may look like, and what it then means.
 *
 * Nothing is guessed: text that does not have its form is an error, never another value. Names are restricted to what
 * can stand in a file for iptables, ipset, ebtables or dhcpd, in a file name and on a terminal without quoting; none
 * begins with a dash, so none can become an option of a command.
 */

import { type Cidr, type Ipv4, parseCidr, parseIpv4, parseRange, prefixOf, type Range, toNumber } from '../ipv4.ts'
import { groupId } from './group-id.ts'

export interface Form<T> {
  /** Ends the sentence `... is not`. */
  readonly is: string
  read(text: string): T | undefined
}

export const ADDRESS: Form<Ipv4> = { is: 'a usable IPv4 address', read: readAddress }
export const HOST_ADDRESS: Form<Ipv4> = { is: 'an IPv4 address an instance can have', read: readHostAddress }
export const HOST_OR_NO_ADDRESS: Form<Ipv4> = { ...HOST_ADDRESS, read: readHostOrNoAddress }
export const RANGE: Form<Range> = { is: 'an IPv4 address or a range of them, first-last', read: readRange }
export const CIDR: Form<Cidr> = { is: 'an IPv4 network', read: parseCidr }
/** As a prefix length. */
export const NETMASK: Form<number> = { is: 'a netmask', read: readNetmask }
export const INTEGER: Form<number> = { is: 'a number', read: readInteger }
export const TAG: Form<number> = { is: 'a VLAN tag, 2 to 4095', read: readTag }
export const SEGMENT_SIZE: Form<number> = { is: 'a power of two between 16 and 2048', read: readSegmentSize }
export const MAC: Form<string> = { is: 'a MAC address', read: readMac }
export const HOST: Form<string> = { is: 'an IPv4 address or a host name', read: readHost }

export const INSTANCE_ID = matching('an instance id (i- and 8 to 17 hexadecimal digits)', /^i-[0-9a-fA-F]{8,17}$/)
export const OWNER = matching('an account', /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
export const CLUSTER_NAME = matching('a cluster name', /^[A-Za-z0-9][A-Za-z0-9._:-]{0,254}$/)
export const MAC_PREFIX = matching('safe text', /^[A-Za-z0-9:.-]{1,17}$/)
export const DOMAIN = matching('a domain name', /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}$/)
export const MODE = matching('the name of a mode', /^[A-Za-z][A-Za-z0-9-]{0,30}$/)
export const VERSION = matching('safe text', /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/)

/** As the group is called in what we render. */
export const GROUP_ID: Form<string> = {
  is: 'the name of a group (1 to 127 letters, digits, dots, dashes, colons or underscores)',
  read: groupId,
}

function matching(is: string, pattern: RegExp): Form<string> {
  return { is, read: (text) => (pattern.test(text) ? text : undefined) }
}

function readAddress(text: string): Ipv4 | undefined {
  const address = parseIpv4(text)
  return address && toNumber(address) !== 0 ? address : undefined
}

/** Not this network, not loopback, not multicast or beyond. */
function readHostAddress(text: string): Ipv4 | undefined {
  const address = parseIpv4(text)
  const octet = Number(address?.split('.')[0])
  return octet > 0 && octet !== 127 && octet < 224 ? address : undefined
}

function readHostOrNoAddress(text: string): Ipv4 | undefined {
  return readHostAddress(text) ?? (text === '0.0.0.0' ? parseIpv4(text) : undefined)
}

function readRange(text: string): Range | undefined {
  const range = parseRange(text)
  return range && toNumber(range.first) !== 0 ? range : undefined
}

function readNetmask(text: string): number | undefined {
  const mask = parseIpv4(text)
  return (mask && prefixOf(mask)) || undefined
}

/** Ten digits, because that is what a cloud controller can store. */
function readInteger(text: string): number | undefined {
  return /^(0|-?[1-9]\d{0,9})$/.test(text) ? Number(text) : undefined
}

function readTag(text: string): number | undefined {
  const tag = readInteger(text)
  return tag !== undefined && tag >= 2 && tag <= 4095 ? tag : undefined
}

function readSegmentSize(text: string): number | undefined {
  const size = readInteger(text)
  return size !== undefined && size >= 16 && size <= 2048 && Number.isInteger(Math.log2(size)) ? size : undefined
}

/** Six pairs; lower case and colons whatever the spelling. */
function readMac(text: string): string | undefined {
  const mac = text.toLowerCase().replaceAll('-', ':')
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) ? mac : undefined
}

/** Digits and dots alone are meant as an address, so they have to be one. */
function readHost(text: string): string | undefined {
  if (/^[\d.]+$/.test(text)) return readAddress(text)
  return /^[A-Za-z0-9]([A-Za-z0-9._-]{0,253}[A-Za-z0-9])?$/.test(text) ? text : undefined
}
