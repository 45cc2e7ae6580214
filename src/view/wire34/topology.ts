/**
 * `network-topology`: `RULE <account>-<group> <text rule>` lines and `GROUP <account>-<group> <private address>...` lines,
 * of the whole cloud, and at the end `#MARK`, without which the file did not arrive whole.
 */

import type { Findings } from '../parse/findings.ts'
import { quote } from '../parse/quote.ts'
import type { XmlElement } from '../xml.ts'
import { element, type Line, linesOf, type Spot, type WireFile } from './element.ts'

export interface Topology {
  readonly groups: readonly XmlElement[]
  /** By private address. */
  readonly memberships: ReadonlyMap<string, Membership>
}

interface Membership {
  /** Where it is named first. */
  readonly at: Spot
  readonly owner: string
  readonly groups: readonly string[]
}

interface Entry {
  readonly kind: string
  readonly group: string
  readonly owner: string
  readonly rest: string
  readonly line: Line
}

export function readTopology(file: WireFile, findings: Findings): Topology {
  const lines = linesOf(file)
  if (lines.at(-1)?.text !== '#MARK') {
    findings.error(
      { file: file.name, line: lines.at(-1)?.line ?? 1, label: '' },
      'the last line is not #MARK: the file is not whole',
    )
  }
  const entries = lines.filter(({ text }) => !text.startsWith('#')).flatMap((line) => readEntry(line, findings) ?? [])
  const names = [...new Set(entries.map(({ group }) => group))]
  return { groups: names.map((name) => toGroup(name, entries)), memberships: membershipsOf(entries) }
}

function readEntry(line: Line, findings: Findings): Entry | undefined {
  const [, kind, group, owner, rest] = /^(RULE|GROUP)\s+(([^-\s]+)-\S+)\s*(.*)$/.exec(line.text) ?? []
  if (kind !== undefined && group !== undefined && owner !== undefined)
    return { kind, group, owner, rest: rest ?? '', line }
  return findings.error({ ...line, label: '' }, `${quote(line.text)} is neither a RULE nor a GROUP of ACCOUNT-GROUP`)
}

function toGroup(name: string, all: readonly Entry[]): XmlElement {
  const own = all.filter(({ group }) => group === name)
  const at = own[0]?.line ?? { file: '', line: 1 }
  const rules = own
    .filter(({ kind }) => kind === 'RULE')
    .map(({ rest, line }) => element('value', line, wholeName(rest)))
  return element(
    'securityGroup',
    at,
    '',
    [element('ownerId', at, own[0]?.owner ?? ''), element('rules', at, '', rules)],
    name,
  )
}

/** Groups are called with their account everywhere else. */
function wholeName(rule: string): string {
  return rule.replace(/-o\s+(\S+)\s+-u\s+(\S+)\s*$/, '-o $2-$1 -u $2')
}

function membershipsOf(entries: readonly Entry[]): ReadonlyMap<string, Membership> {
  const memberships = new Map<string, Membership>()
  for (const { kind, group, owner, rest, line } of entries) {
    if (kind !== 'GROUP') continue
    for (const address of rest.split(/\s+/).filter((text) => text !== '')) {
      const known = memberships.get(address) ?? { at: line, owner, groups: [] }
      memberships.set(address, { ...known, groups: [...known.groups, group] })
    }
  }
  return memberships
}
