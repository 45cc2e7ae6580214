/** Why nodes were served, and what that changed on them, in a few words; a span where they differ. */

import type { Outcome } from '../run/outcome.ts'

type Changes = NonNullable<Outcome['changes']>
type Counts = Omit<Changes[number], 'artifact'>

/** What people call what an artifact holds, as far as its number says something. */
const KINDS: Readonly<Record<string, string>> = {
  ipset: 'set',
  iptables: 'rule',
  ebtables: 'rule',
  addresses: 'address',
  // For the node controller only.
  placeholder: '',
}

/** Of nodes with one reason. */
export function about(outcomes: readonly Outcome[]): string {
  const reason = outcomes[0]?.reason
  const changes = changesText(outcomes.map((outcome) => outcome.changes ?? []))
  return [reason === 'changed' && changes !== '' ? '' : (reason ?? ''), changes]
    .filter((part) => part !== '')
    .join(', ')
}

export function changesText(nodes: readonly Changes[]): string {
  const kinds = new Set(nodes.flatMap((changes) => changes.map(({ artifact }) => kindOf(artifact))))
  return [...kinds]
    .filter((kind) => kind !== '')
    .map((kind) =>
      kindText(
        kind,
        nodes.map((changes) => countsOf(kind, changes)),
      ),
    )
    .join(', ')
}

function kindOf(artifact: string): string {
  return KINDS[artifact] ?? artifact
}

function countsOf(kind: string, changes: Changes): Counts {
  const sum = { added: 0, removed: 0, things: 0 }
  for (const { artifact, added, removed, things } of changes) {
    if (kindOf(artifact) !== kind) continue
    sum.added += added
    sum.removed += removed
    sum.things += things
  }
  return sum
}

function kindText(kind: string, nodes: readonly Counts[]): string {
  const added = spanOf(nodes.map((one) => one.added))
  const removed = spanOf(nodes.map((one) => one.removed))
  const things = spanOf(nodes.map((one) => one.things))
  switch (kind) {
    case 'set':
      return `${things.text} ${things.most === 1 ? 'set' : 'sets'}`
    case 'rule':
    case 'address': {
      const signed = [...(added.most > 0 ? [`+${added.text}`] : []), ...(removed.most > 0 ? [`-${removed.text}`] : [])]
      const several = kind === 'rule' ? 'rules' : 'addresses'
      return `${signed.join(' ')} ${added.most + removed.most === 1 ? kind : several}`
    }
    // A file, of which lines say little.
    default:
      return kind
  }
}

function spanOf(counts: readonly number[]): { readonly text: string; readonly most: number } {
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  return { most, text: least === most ? String(most) : `${least}..${most}` }
}
