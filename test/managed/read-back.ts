/** What the tools print of a host, in the form in which the original's state is kept, in an order that has no meaning. */

import { lines } from '../kernel.ts'

/** Those of ours that built-in chains jump to are the built-in ones' rules. */
const ENTRIES: Readonly<Record<string, string>> = {
  EUCA_FORWARD: 'FORWARD',
  EUCA_PREROUTING: 'PREROUTING',
  EUCA_OUTPUT: 'OUTPUT',
  EUCA_POSTROUTING: 'POSTROUTING',
}

/**
 * The rules of filter and nat by chain, and the policy of FORWARD. What belongs to one address, group or instance stands
 * together, and these pieces are sorted, because no packet meets two of them; what stands before and after all of them
 * stays there. The order of rules that all accept has no meaning either.
 */
export function rulesOf(text: string): Readonly<Record<string, readonly string[]>> {
  // What has no tables yet lets everything pass.
  const found: Record<string, string[]> = { policy: ['ACCEPT'] }
  let table = ''
  for (const line of lines(text)) {
    if (line.startsWith('*')) table = line.slice(1)
    if (line.startsWith(':FORWARD ') && table === 'filter') found.policy = [line.split(' ')[1] ?? '']
    const [, chain = '', rule = ''] = /^-A (\S+) (.*)$/.exec(line) ?? []
    if (chain === '' || (table !== 'filter' && table !== 'nat') || rule in { [`-j EUCA_${chain}`]: 1 }) continue
    const name = `${table} ${ENTRIES[chain] ?? chain}`
    found[name] = [...(found[name] ?? []), rule]
  }
  return Object.fromEntries(Object.entries(found).map(([chain, rules]) => [chain, arrange(chain, rules)]))
}

function arrange(chain: string, rules: readonly string[]): readonly string[] {
  if (chain === 'filter FORWARD') return [...rules.slice(0, 4), ...rules.slice(4).toSorted()]
  if (chain === 'nat PREROUTING' || chain === 'nat OUTPUT')
    return stable(rules, (rule) => / -d (\S+)/.exec(` ${rule}`)?.[1])
  if (chain === 'nat POSTROUTING')
    return [...stable(rules.slice(0, -1), (rule) => /^-s (\S+)/.exec(rule)?.[1]), ...rules.slice(-1)]
  if (chain.startsWith('filter EUCA_COUNTERS')) return [...rules.slice(0, -1).toSorted(), ...rules.slice(-1)]
  return rules.toSorted()
}

/** By key, and otherwise as they came. */
function stable(rules: readonly string[], keyOf: (rule: string) => string | undefined): readonly string[] {
  return rules.toSorted((a, b) =>
    (keyOf(a) ?? '') < (keyOf(b) ?? '') ? -1 : (keyOf(a) ?? '') > (keyOf(b) ?? '') ? 1 : 0,
  )
}

/** Bridges and VLAN devices, from `ip -d -o link show`; a host of these tests begins with bridges that have no name of ours. */
export function linksOf(text: string): readonly string[] {
  return lines(text)
    .flatMap((line): readonly string[] => {
      const [, name = '', , parent = '', flags = ''] = /^\d+: ([^:@]+)(@([^:]+))?: <([^>]*)>/.exec(line) ?? []
      const after = (word: string) => new RegExp(` ${word} (\\S+)`).exec(line)?.[1] ?? ''
      const state = flags.split(',').includes('UP') ? 'up' : 'down'
      if (line.includes(' vlan protocol ')) {
        return [`${name} vlan parent ${parent} id ${after('id')} master ${after('master')} ${state}`]
      }
      if (!name.startsWith('sg-')) return []
      const promisc = flags.split(',').includes('PROMISC') ? 'on' : 'off'
      return [
        `${name} bridge stp ${after('stp_state')} forward_delay ${after('forward_delay')} hello_time ${after('hello_time')} promisc ${promisc} ${state}`,
      ]
    })
    .toSorted()
}

/** From `ip -4 -o address show`. */
export function addressesOf(text: string): readonly string[] {
  return lines(text)
    .flatMap((line): readonly string[] => {
      const [, device = '', address = '', , broadcast, scope = ''] =
        /^\d+: (\S+)\s+inet (\S+)( brd (\S+))? scope (\S+)/.exec(line) ?? []
      if (device === 'lo') return []
      return [`${device} ${address}${broadcast ? ` broadcast ${broadcast}` : ''} scope ${scope}`]
    })
    .toSorted()
}

/** Networks and hosts in any order. */
export function dhcpOf(text: string): readonly string[] {
  const [head = '', ...blocks] = text
    .replace(/^#.*\n/gm, '')
    .replace(/\n}\n$/, '\n')
    .split(/\n\n?(?= {2}(?:subnet|host) )/)
  return [head.trim(), ...blocks.map((block) => block.trim()).toSorted()]
}
