/**
 * The text of a global network view to a `View`, or to everything that is wrong with it.
 *
 * There is a view only when there is no error. Read strictly, which is how it is read unless somebody asks for more, a
 * view is accepted for the whole cloud or not at all, because every node depends on all of it. A lenient reading leaves
 * out the instance, rule, group, membership or range that is wrong (see parse/scope.ts), and says so.
 */

import { EXIT, Refusal } from '../error.ts'
import type { Allocation } from './conf/allocation.ts'
import { type ConfSource, readConf } from './conf/read-conf.ts'
import { assemble } from './parse/assemble.ts'
import { checkMemberships } from './parse/check-memberships.ts'
import { checkPlausible } from './parse/check-plausible.ts'
import { checkUnique } from './parse/check-unique.ts'
import { readDocument, type ViewDocument } from './parse/document.ts'
import { collectFindings, type Finding, type Findings } from './parse/findings.ts'
import { leaveOut } from './parse/leave-out.ts'
import type { SaidMode } from './parse/mode.ts'
import { quote } from './parse/quote.ts'
import type { View } from './view.ts'
import type { WireFile } from './wire34/element.ts'
import { readWire34 } from './wire34/read-wire34.ts'
import { parseXml, type XmlElement, XmlError } from './xml.ts'

export type { Finding } from './parse/findings.ts'
export type { WireFile } from './wire34/element.ts'

export interface Reading {
  readonly lenient: boolean
  /** What is said of a view that may not say its mode itself. */
  readonly mode: SaidMode | undefined
}

export interface ParsedView {
  /** Undefined if any finding is an error. */
  readonly view: View | undefined
  /** Also of a view with errors, if that is not one of them. */
  readonly mode: string | undefined
  readonly findings: readonly Finding[]
  /** How many parts of the view are not in it. */
  readonly leftOut: number
}

export interface AcceptedView {
  readonly view: View
  /** Warnings, and what is left out. */
  readonly findings: readonly Finding[]
  readonly leftOut: number
}

export const STRICT: Reading = { lenient: false, mode: undefined }

/** More than this is rarely read; the first ones tell what kind of defect it is. */
const ERRORS_SHOWN = 20

/** `origin` stands before the line number in every finding: a file name, as a rule. */
export function parseView(text: string, origin: string, reading = STRICT): ParsedView {
  return parse(origin, reading, (findings) => document(readRoot(text, findings), reading, findings))
}

/** The files of a cloud of 3.4; `onlyNode` is whose a `local-net` without an address in its name is. */
export function parseWire34(
  files: readonly WireFile[],
  origin: string,
  reading: Reading,
  onlyNode: string | undefined,
): ParsedView {
  return parse(origin, reading, (findings) => document(readWire34(files, onlyNode, findings), reading, findings))
}

export interface ParsedConf extends ParsedView {
  /** What has to be kept for the next reading; undefined where not even that could be told. */
  readonly allocation: Allocation | undefined
}

/** A configuration file and a list of instances. */
export function parseConf(source: ConfSource, reading: Reading): ParsedConf {
  let allocation: Allocation | undefined
  // Each of the two files says its own name.
  const parsed = parse('', reading, (findings) => {
    const read = readConf(source, reading.mode, findings)
    allocation = read?.allocation
    return read && readDocument(read.root, reading.mode, findings, read.needs)
  })
  return { ...parsed, allocation }
}

/** The view, or a refusal that lists every error. */
export function accepted(parsed: ParsedView, origin: string): AcceptedView {
  const { view, findings, leftOut } = parsed
  if (view) return { view, findings, leftOut }
  const errors = findings.filter(({ severity }) => severity === 'error')
  throw new Refusal(EXIT.badView, describeErrors(origin, errors))
}

export function readView(text: string, origin: string, reading = STRICT): AcceptedView {
  return accepted(parseView(text, origin, reading), origin)
}

function document(root: XmlElement | undefined, { mode }: Reading, findings: Findings): ViewDocument | undefined {
  return root && readDocument(root, mode, findings)
}

function parse(
  origin: string,
  reading: Reading,
  toDocument: (findings: Findings) => ViewDocument | undefined,
): ParsedView {
  const findings = collectFindings(origin, reading.lenient)
  const document = toDocument(findings)
  const view = document && check(document, findings)
  return { view, mode: document?.mode, findings: findings.list(), leftOut: findings.leftOut() }
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

function check(written: ViewDocument, findings: Findings): View | undefined {
  const document = checkMemberships(leaveOut(written, checkUnique(written, findings), findings), findings)
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
