/**
 * The text of a global network view to a `View`, or to everything that is wrong with it.
 *
 * There is a view only when there is no error: a view is accepted for the whole cloud or not at all, because every node
 * depends on all of it.
 */

import { EXIT, Refusal } from '../error.ts'
import { assemble } from './parse/assemble.ts'
import { checkPlausible } from './parse/check-plausible.ts'
import { checkUnique } from './parse/check-unique.ts'
import { readDocument } from './parse/document.ts'
import { collectFindings, type Finding, type Findings } from './parse/findings.ts'
import { quote } from './parse/quote.ts'
import type { View } from './view.ts'
import { parseXml, type XmlElement, XmlError } from './xml.ts'

export type { Finding } from './parse/findings.ts'

export interface ParsedView {
  /** Undefined if any finding is an error. */
  readonly view: View | undefined
  readonly findings: readonly Finding[]
}

export interface AcceptedView {
  readonly view: View
  readonly warnings: readonly Finding[]
}

/** More than this is rarely read; the first ones tell what kind of defect it is. */
const ERRORS_SHOWN = 20

/** `origin` stands before the line number in every finding: a file name, as a rule. */
export function parseView(text: string, origin: string): ParsedView {
  const findings = collectFindings(origin)
  const root = readRoot(text, findings)
  const view = root && readChecked(root, findings)
  return { view, findings: findings.list() }
}

/** The view, or a refusal that lists every error. */
export function readView(text: string, origin: string): AcceptedView {
  const { view, findings } = parseView(text, origin)
  if (view) return { view, warnings: findings }
  const errors = findings.filter(({ severity }) => severity === 'error')
  throw new Refusal(EXIT.badView, describeErrors(origin, errors))
}

function readRoot(text: string, findings: Findings): XmlElement | undefined {
  try {
    const root = parseXml(text)
    if (root.name === 'network-data') return root
    return findings.error({ line: root.line, label: '' }, `the root element is ${quote(root.name)}, not network-data`)
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    return findings.error({ line: error.line, column: error.column, label: '' }, error.message)
  }
}

function readChecked(root: XmlElement, findings: Findings): View | undefined {
  const document = readDocument(root, findings)
  checkUnique(document, findings)
  if (findings.hasErrors()) return undefined
  checkPlausible(document, findings)
  return assemble(document)
}

function describeErrors(origin: string, errors: readonly Finding[]): string {
  const count = errors.length === 1 ? '1 error' : `${errors.length} errors`
  const lines = errors.slice(0, ERRORS_SHOWN).map(({ where, message }) => `  ${where}: ${message}`)
  const rest = errors.length - lines.length
  if (rest > 0) lines.push(`  and ${rest} more`)
  return [`${origin} is not a usable view (${count})`, ...lines].join('\n')
}
