/**
 * `VNET_PUBLICIPS`: blank-separated, from left to right,
 *
 *   a.b.c.d            an address
 *   a.b.c.d/len        the addresses after this one, but for the last: of a network its hosts
 *   a.b.c.d-e.f.g.h    both ends belong to it; 256 addresses at most
 *   !a.b.c.d           takes an address away that stood before
 *
 * What was added twice is there once. The original passed over what it refused; here that is an error, and so is an
 * address that no instance can have.
 */

import { formatRange, network, parseIpv4, type Range, toIpv4, toNumber } from '../ipv4.ts'
import type { Findings } from '../parse/findings.ts'
import { HOST_ADDRESS } from '../parse/forms.ts'
import { quote } from '../parse/quote.ts'
import type { Line } from '../wire34/element.ts'

/** Both ends, as numbers. */
type Span = readonly [number, number]

const LONGEST_RANGE = 256

/** Sorted, apart from each other. */
export function readPublicIps(line: Line, findings: Findings): readonly Range[] {
  let spans: readonly Span[] = []
  for (const token of line.text.split(/\s+/)) {
    const fail = (problem: string) => {
      findings.within('range').error({ ...line, label: '' }, `VNET_PUBLICIPS ${quote(token)} ${problem}`)
    }
    const warn = (doubt: string) => findings.warning({ ...line, label: '' }, `VNET_PUBLICIPS ${quote(token)} ${doubt}`)
    if (token.startsWith('!')) {
      const taken = HOST_ADDRESS.read(token.slice(1))
      if (!taken) fail(`is not an address that could be taken away`)
      else {
        const rest = without(spans, toNumber(taken))
        if (rest === undefined) warn('takes nothing away: it was not added before')
        spans = rest ?? spans
      }
      continue
    }
    const span = readSpan(token)
    if (typeof span === 'string') fail(span)
    else {
      if (/\//.test(token) && hasHostBits(token)) warn(`begins inside a network: ${formatRange(toRange(span))} is read`)
      spans = union([...spans, span])
    }
  }
  return spans.map(toRange)
}

/** Or what is wrong with it. */
function readSpan(token: string): Span | string {
  const [, base, length] = /^([^/]+)\/(\d{1,2})$/.exec(token) ?? []
  if (base !== undefined) return readNetwork(base, Number(length))
  const [firstText = '', lastText = firstText, ...rest] = token.split('-')
  const [first, last] = [parseIpv4(firstText), parseIpv4(lastText)]
  if (!first || !last || rest.length > 0)
    return 'is not an address, a network, a range first-last or one of them after !'
  const span: Span = [toNumber(first), toNumber(last)]
  if (span[0] > span[1]) return 'ends before it begins'
  if (span[1] - span[0] >= LONGEST_RANGE) return `has more than ${LONGEST_RANGE} addresses`
  return usable(span)
}

function readNetwork(text: string, length: number): Span | string {
  const base = parseIpv4(text)
  if (!base || length > 32) return 'is not a network'
  if (length > 30) return 'has no address between its first and its last'
  const first = toNumber(base)
  const last = first + 2 ** (32 - length) - 1
  return last > 0xffffffff ? 'ends after 255.255.255.255' : usable([first + 1, last - 1])
}

/** Nothing of this network, of loopback, of link-local addresses, nor of multicast and beyond. */
function usable(span: Span): Span | string {
  const bad = [
    [0, 0x00ffffff],
    [0x7f000000, 0x7fffffff],
    [0xa9fe0000, 0xa9feffff],
    [0xe0000000, 0xffffffff],
  ] as const
  const isBad = bad.some(([first, last]) => span[0] <= last && first <= span[1])
  return isBad ? 'has addresses that no instance can have' : span
}

function hasHostBits(token: string): boolean {
  const [text = '', length] = token.split('/')
  const base = parseIpv4(text)
  return base !== undefined && network(base, Number(length)).address !== base
}

function union(spans: readonly Span[]): readonly Span[] {
  const merged: Span[] = []
  for (const [first, last] of spans.toSorted((a, b) => a[0] - b[0])) {
    const before = merged.at(-1)
    if (before && first <= before[1] + 1) merged[merged.length - 1] = [before[0], Math.max(before[1], last)]
    else merged.push([first, last])
  }
  return merged
}

/** Undefined if it is in none of them. */
function without(spans: readonly Span[], address: number): readonly Span[] | undefined {
  if (!spans.some(([first, last]) => first <= address && address <= last)) return undefined
  return spans.flatMap(([first, last]): readonly Span[] => {
    if (address < first || address > last) return [[first, last]]
    const parts: readonly Span[] = [
      [first, address - 1],
      [address + 1, last],
    ]
    return parts.filter(([from, to]) => from <= to)
  })
}

function toRange([first, last]: Span): Range {
  return { first: toIpv4(first), last: toIpv4(last) }
}
