import { lineOf, type Rule, type RuleSet } from './packet-filter.ts'

/** Whether a rule of the chain and the next one may change places: the conditions of the decision, two by two. */
export function commute({ chain, asked }: RuleSet, at: number): boolean {
  const [one, other] = chain.slice(at, at + 2)
  if (!one || !other) throw new Error(`no two rules at ${at}`)
  if (lineOf('', one) === lineOf('', other)) return true
  if ([one, other].some(hasState)) return false
  if (one.target.startsWith('DNAT') && other.target.startsWith('DNAT')) return disjoint('-d', one, other)
  if (one.target.startsWith('SNAT') && other.target.startsWith('SNAT')) return disjoint('-s', one, other)
  if (one.target === other.target && ['', 'ACCEPT', 'DROP'].includes(one.target)) return true
  return [one, other].every(({ target }) => onlyAccepts(asked[target] ?? []))
}

function hasState({ matches }: Rule): boolean {
  return matches.some((match) => match.includes('limit'))
}

function onlyAccepts(rules: readonly Rule[]): boolean {
  return rules.length > 0 && rules.every((rule) => rule.target === 'ACCEPT' && !hasState(rule))
}

function disjoint(option: string, one: Rule, other: Rule): boolean {
  const [a, b] = [one, other].map(({ matches }) =>
    matches.findLast((match) => match.startsWith(option) && /[/]32$/.test(match)),
  )
  return a !== undefined && b !== undefined && a !== b
}
