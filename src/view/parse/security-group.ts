/**
 * A group and its ingress rules.
 *
 * Egress rules are not read: nothing enforces them. Up to 4.3 the rules are there a second time as text; since 4.2 the
 * structured form is the one that counts, so only that is read. A group without the structured form is refused: without
 * its rules it would be shut.
 */

import type { SecurityGroup } from '../view.ts'
import type { XmlElement } from '../xml.ts'
import { attribute, field, items, named, placeOf, required, type Source } from './fields.ts'
import type { Findings } from './findings.ts'
import { GROUP_ID, OWNER } from './forms.ts'
import { readRule } from './rule.ts'

export function readSecurityGroup(element: XmlElement, findings: Findings): SecurityGroup | undefined {
  const source = named('group', element, findings)
  const id = attribute(source, 'name', GROUP_ID)
  const owner = required(source, 'ownerId', OWNER)
  const rules = items(source, 'ingressRules', 'rule')
  checkTextRules(source, rules.length)
  const ingress = rules.flatMap((rule, index) => readRule(ruleSource(source, rule, index)) ?? [])

  if (id === undefined || owner === undefined) return undefined
  return findings.place({ id, owner, ingress }, placeOf(source))
}

function ruleSource(source: Source, element: XmlElement, index: number): Source {
  return { ...source, element, label: `${source.label} rule ${index + 1}` }
}

function checkTextRules(source: Source, structured: number): void {
  const texts = items(source, 'rules', 'value').filter(({ text }) => text.trim() !== '')
  if (texts.length === 0 || structured > 0) return
  const place = placeOf(source, texts[0]?.line)
  if (field(source, 'ingressRules')) source.findings.warning(place, 'has rules as text only; they are not enforced')
  else source.findings.error(place, 'has rules as text only; views before 4.2 are not read')
}
