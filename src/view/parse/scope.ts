/**
 * How far an error reaches: what is left out for it where that is asked for, and what becomes of it then.
 *
 * Invariant: leaving something out only ever takes something away from somebody. Nothing that was shut opens by it, and
 * that is why the private address of an instance that is left out stays known to the view (`withheld`).
 */

export const SCOPES = {
  view: { part: 'the whole view', without: 'the view is refused, with --lenient too' },
  instance: { part: 'the instance', without: 'it has no network; nothing is let in to its private address' },
  group: { part: 'the group', without: 'nothing is let in by it, and nothing by rules that name it' },
  membership: { part: "the instance's being in that group", without: 'that group lets nothing in to it' },
  rule: { part: 'the rule', without: 'it lets nothing in' },
  range: { part: 'the range of addresses', without: 'it does not belong to the pool' },
  placement: { part: 'the entry of the node', without: 'nothing runs there by it' },
} as const

export type Scope = keyof typeof SCOPES

/** What can be left out alone. */
export type PartScope = Exclude<Scope, 'view'>
