/** Why nodes were served, and what that changed on them, in a few words; a span where they differ. */

import type { Outcome } from '../run/outcome.ts'

type Changes = NonNullable<Outcome['changes']>
type Change = Changes[number]

/** Of nodes with one reason. */
export function about(outcomes: readonly Outcome[]): string {
  const reason = outcomes[0]?.reason
  const changes = changesText(outcomes.map((outcome) => outcome.changes ?? []))
  return [reason === 'changed' && changes !== '' ? '' : (reason ?? ''), changes]
    .filter((part) => part !== '')
    .join(', ')
}

/** The placeholder is there for the node controller and tells people nothing. */
export function changesText(nodes: readonly Changes[]): string {
  const artifacts = new Set(nodes.flatMap((changes) => changes.map(({ artifact }) => artifact)))
  return [...artifacts]
    .filter((artifact) => artifact !== 'placeholder')
    .map((artifact) =>
      artifactText(
        artifact,
        nodes.map((changes) => changes.find((one) => one.artifact === artifact)),
      ),
    )
    .join(', ')
}

function artifactText(artifact: string, changes: readonly (Change | undefined)[]): string {
  const added = spanOf(changes.map((change) => change?.added ?? 0))
  const removed = spanOf(changes.map((change) => change?.removed ?? 0))
  const signed = [...(added.most > 0 ? [`+${added.text}`] : []), ...(removed.most > 0 ? [`-${removed.text}`] : [])]
  const lines = (one: string, several: string) => {
    return `${signed.join(' ')} ${added.most + removed.most === 1 ? one : several}`
  }
  switch (artifact) {
    case 'iptables':
      return lines('rule', 'rules')
    case 'ebtables':
      return lines('bridge rule', 'bridge rules')
    case 'addresses':
      return lines('address', 'addresses')
    case 'ipset': {
      const sets = spanOf(changes.map((change) => change?.things ?? 0))
      return `${sets.text} ${sets.most === 1 ? 'set' : 'sets'}`
    }
    // Files, of which lines say little.
    default:
      return artifact
  }
}

function spanOf(counts: readonly number[]): { readonly text: string; readonly most: number } {
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  return { most, text: least === most ? String(most) : `${least}..${most}` }
}
