/**
 * Rules of a chain as data, and what they do to packets, told without any knowledge of normal forms. One chain of rules
 * of every kind, and two chains that it may ask.
 */

import fc from 'fast-check'

export interface Rule {
  readonly matches: readonly string[]
  /** `-j` and its arguments; empty for a rule that only counts. */
  readonly target: string
}

export interface RuleSet {
  readonly chain: readonly Rule[]
  readonly asked: Readonly<Record<string, readonly Rule[]>>
}

interface Packet {
  readonly from: string
  readonly to: string
  readonly port: string
}

interface Seen {
  readonly counts: Map<string, number>
  /** Rules whose limit is used up. */
  readonly spent: Set<string>
}

const HOSTS = ['10.0.0.1', '10.0.0.2']
const PACKETS: readonly Packet[] = HOSTS.flatMap((from) =>
  HOSTS.flatMap((to) => ['22', '80'].map((port) => ({ from, to, port }))),
)

const MATCHES = [
  ...['-s 10.0.0.1/32', '-s 10.0.0.2/32', '-s 10.0.0.0/24', '! -s 10.0.0.1/32', '-d 10.0.0.1/32', '-d 10.0.0.2/32'],
  ...['-p tcp -m tcp --dport 22', '-m mark --mark 0x2a', '-m mark ! --mark 0x2a', '-m limit --limit 1/day'],
]
const matches = fc.uniqueArray(fc.constantFrom(...MATCHES), { maxLength: 2 })
const ASKED = ['sg-aaaaaaaa', 'sg-bbbbbbbb']
const TARGETS = [
  ...['', 'ACCEPT', 'DROP', 'RETURN', 'MARK --set-xmark 0x2a/0xffffffff', 'MASQUERADE', ...ASKED],
  ...['DNAT --to-destination 10.9.9.1', 'DNAT --to-destination 10.9.9.2'],
  ...['SNAT --to-source 10.9.9.1', 'SNAT --to-source 10.9.9.2'],
]

function ruleWith(target: fc.Arbitrary<string>): fc.Arbitrary<Rule> {
  return fc.record({ matches, target })
}

const asked = fc.array(ruleWith(fc.constantFrom('ACCEPT', 'ACCEPT', 'ACCEPT', 'DROP', '')), { maxLength: 2 })

/** With few targets, for rules that may change places have much in common. */
const chain = fc.uniqueArray(fc.constantFrom(...TARGETS), { minLength: 1, maxLength: 2 }).chain((targets) => {
  return fc.array(ruleWith(fc.constantFrom(...targets)), { minLength: 2, maxLength: 4 })
})

export const anyRuleSet: fc.Arbitrary<RuleSet> = fc.record({
  chain,
  asked: fc.record({ 'sg-aaaaaaaa': asked, 'sg-bbbbbbbb': asked }),
})

export function lineOf(chain: string, { matches: all, target }: Rule): string {
  return ['-A', chain, ...all, ...(target ? ['-j', target] : [])].join(' ')
}

export function textOf({ chain, asked: chains }: RuleSet): string {
  const rules = Object.entries({ EUCA: chain, ...chains }).flatMap(([name, all]) =>
    all.map((rule) => lineOf(name, rule)),
  )
  return `*filter\n:EUCA - [0:0]\n${rules.join('\n')}\nCOMMIT\n`
}

/** What became of every packet, one after the other, and how often the rules without a target were met. */
export function effectOf(rules: RuleSet): object {
  const seen: Seen = { counts: new Map(), spent: new Set() }
  const fates = PACKETS.map((packet) => fateOf(packet, rules, seen))
  return { fates, counts: Object.fromEntries([...seen.counts].toSorted()) }
}

function fateOf(packet: Packet, rules: RuleSet, seen: Seen): string {
  let mark = 'no mark'
  const walk = (name: string, chain: readonly Rule[]): string => {
    for (const rule of chain) {
      const line = lineOf(name, rule)
      if (!rule.matches.every((match) => matched(match, packet, mark, line, seen))) continue
      if (rule.target === '') seen.counts.set(line, (seen.counts.get(line) ?? 0) + 1)
      else if (rule.target.startsWith('MARK')) mark = '0x2a'
      else if (rule.target === 'RETURN') return ''
      else {
        const fate = ASKED.includes(rule.target) ? walk(rule.target, rules.asked[rule.target] ?? []) : rule.target
        if (fate) return fate
      }
    }
    return ''
  }
  return `${walk('EUCA', rules.chain)}, ${mark}`
}

function matched(match: string, { from, to, port }: Packet, mark: string, line: string, { spent }: Seen): boolean {
  if (match.includes('--mark')) return (mark === '0x2a') !== match.includes('!')
  if (match.includes('--dport')) return port === '22'
  if (match.includes('limit')) return !spent.has(line) && spent.add(line).has(line)
  if (match.startsWith('! ')) return !match.includes(`${from}/`)
  return match.endsWith('/24') || match === `-s ${from}/32` || match === `-d ${to}/32`
}
