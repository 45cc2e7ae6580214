/**
 * A group and its ingress rules.
 *
 * Egress rules are not read: nothing enforces them. Rules can be there in two forms: structured (since 4.1) and as text
 * (up to 4.3). The structured ones count where there are any, otherwise the text does.
 */

import type { SecurityGroup } from '../view.ts'
import type { XmlElement } from '../xml.ts'
import { attribute, field, items, named, placeOf, required, type Source } from './fields.ts'
import type { Findings } from './findings.ts'
import { GROUP_ID, OWNER } from './forms.ts'
import { quote } from './quote.ts'
import { readRule } from './rule.ts'
import { readTextRule } from './text-rule.ts'

export function readSecurityGroup(element: XmlElement, findings: Findings): SecurityGroup | undefined {
  const part = findings.within('group')
  const source = named('group', element, part)
  const id = attribute(source, 'name', GROUP_ID)
  const owner = required(source, 'ownerId', OWNER)
  const ingress = rulesOf(source).flatMap((rule, index) => {
    const own = findings.within('rule')
    const structured = toStructured({
      ...source,
      element: rule,
      label: `${source.label} rule ${index + 1}`,
      findings: own,
    })
    const read = structured && readRule(structured)
    return read && !own.isLeftOut() ? [read] : []
  })

  if (id === undefined || owner === undefined || part.isLeftOut()) return undefined
  return findings.place({ id, owner, ingress }, placeOf(source))
}

function rulesOf(source: Source): readonly XmlElement[] {
  const structured = items(source, 'ingressRules', 'rule')
  const texts = items(source, 'rules', 'value').filter(({ text }) => text.trim() !== '')
  const place = placeOf(source, texts[0]?.line)
  if (texts.length > structured.length && structured.length > 0) {
    const counts = `${texts.length} rules as text but ${structured.length} structured ones`
    source.findings.warning(place, `has ${counts}; only the structured ones count`)
  }
  if (structured.length > 0) return structured
  if (texts.length > 0 && field(source, 'ingressRules')) {
    source.findings.warning(place, 'has rules as text only; they count here, though not for a node of 4.2 or later')
  }
  return texts
}

function toStructured(source: Source): Source | undefined {
  const { element } = source
  if (element.name === 'rule') return source
  const rule = readTextRule(element)
  if (rule) return { ...source, element: rule }
  return source.findings.error(placeOf(source), `${quote(element.text.trim())} is not a rule`)
}
