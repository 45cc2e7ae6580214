/**
 * Which pair of the map each instance has: the one it names; the one it has had; the first that is nobody's, and rather one
 * that was nobody's before.
 */

import type { Ipv4 } from '../ipv4.ts'
import type { Findings } from '../parse/findings.ts'
import { quote } from '../parse/quote.ts'
import type { Allocation } from './allocation.ts'
import type { ListedInstance } from './instance-list.ts'
import type { Pair } from './mac-map.ts'

/** By instance; one that gets none is an error that is said. */
export function givePairs(
  instances: readonly ListedInstance[],
  pairs: readonly Pair[],
  before: Allocation['addresses'],
  findings: Findings,
): ReadonlyMap<string, Pair> {
  const given = new Map<string, Pair>()
  const waiting: ListedInstance[] = []
  for (const instance of instances) {
    const { id, mac, address } = instance
    const had = before.get(id.text)
    const named = address ?? mac
    const pair = named ? pairNamed(pairs, instance, findings) : pairs.find((one) => one.address === had)
    if (pair) given.set(id.text, pair)
    else if (!named) waiting.push(instance)
  }
  const taken = new Set<Ipv4>([...given.values()].map(({ address }) => address))
  const left = new Set(before.values())
  for (const { id } of waiting) {
    const free =
      pairs.find(({ address }) => !taken.has(address) && !left.has(address)) ??
      pairs.find(({ address }) => !taken.has(address))
    if (!free) {
      findings
        .within('instance')
        .error(placeOf(id), `VNET_MACMAP has no pair left for it: all ${pairs.length} are taken`)
      continue
    }
    taken.add(free.address)
    given.set(id.text, free)
  }
  return given
}

function pairNamed(pairs: readonly Pair[], instance: ListedInstance, findings: Findings): Pair | undefined {
  const { id, address, mac } = instance
  const wanted = mac?.text.toLowerCase().replaceAll('-', ':')
  const pair = pairs.find((one) => (address ? one.address === address.text : one.mac === wanted))
  const fits = pair && (!mac || pair.mac === wanted)
  if (fits) return pair
  const said = [mac?.text, address?.text].filter((text) => text !== undefined).join('=')
  return findings.within('instance').error(placeOf(id), `${quote(said)} is no pair of VNET_MACMAP`)
}

function placeOf({ file, line, text }: ListedInstance['id']) {
  return { file, line, label: `instance ${text}` }
}
