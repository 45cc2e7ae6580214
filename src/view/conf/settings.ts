/**
 * `eucalyptus.conf` as the file of a shell: `KEY="value"`, comments, several on a line. Nothing in it is carried out, so
 * what a shell would have to work out (`$OTHER`, a backquote, a backslash) is refused where it concerns the network.
 */

import type { Findings } from '../parse/findings.ts'
import type { Form } from '../parse/forms.ts'
import { quote } from '../parse/quote.ts'
import { type Line, linesOf, type WireFile } from '../wire34/element.ts'

export interface Settings {
  readonly file: string
  readonly byKey: ReadonlyMap<string, Line>
}

const ASSIGNMENT = /\s*([A-Za-z_][A-Za-z0-9_]*)=(?:"([^"]*)"|'([^']*)'|([^\s"'#]*))(?=\s|$)/y

const REST = /\s*(#.*)?$/y

export function readSettings(file: WireFile, findings: Findings): Settings {
  const byKey = new Map<string, Line>()
  for (const line of linesOf(file)) {
    const found = assignmentsOf(line)
    if (!found) findings.error({ ...line, label: '' }, `${quote(line.text)} is not KEY="value"`)
    for (const [key, value] of found ?? []) {
      const before = byKey.get(key)
      if (before === undefined) byKey.set(key, { ...line, text: value })
      else if (before.text !== value && isOfNetwork(key)) {
        // Its daemons go by the first, its scripts by the last.
        findings.error({ ...line, label: '' }, `${key} is there twice, also in line ${before.line}, with another value`)
      }
    }
  }
  for (const [key, line] of byKey) {
    if (isOfNetwork(key) && /[$`\\]/.test(line.text)) {
      findings.error({ ...line, label: '' }, `${key} ${quote(line.text)} is not plain text`)
    }
  }
  return { file: file.name, byKey }
}

/** Undefined where the line is something else; empty for a comment. */
function assignmentsOf({ text }: Line): readonly (readonly [string, string])[] | undefined {
  const found: (readonly [string, string])[] = []
  for (let at = 0; ; ) {
    REST.lastIndex = at
    if (REST.test(text)) return found
    ASSIGNMENT.lastIndex = at
    const [whole, key, double, single, bare] = ASSIGNMENT.exec(text) ?? []
    if (whole === undefined || key === undefined) return undefined
    found.push([key, (double ?? single ?? bare ?? '').trim()])
    at += whole.length
  }
}

function isOfNetwork(key: string): boolean {
  return key.startsWith('VNET_')
}

/** The line of a key that says something: to its readers an empty value is none. */
export function settingOf({ byKey }: Settings, key: string): Line | undefined {
  const line = byKey.get(key)
  return line && line.text !== '' ? line : undefined
}

/** Undefined where it is not there, or, which is then said, does not have its form. */
export function formed<T>(settings: Settings, key: string, form: Form<T>, findings: Findings): T | undefined {
  const line = settingOf(settings, key)
  if (!line) return undefined
  const value = form.read(line.text)
  if (value !== undefined) return value
  return findings.error({ ...line, label: '' }, `${key} ${quote(line.text)} is not ${form.is}`)
}
