/**
 * Reads the fields of one element by name, in any of the spellings clouds have used.
 *
 * A field is a child element of that name or a `property` with that name; its values are its `value` children or its own
 * text. Missing, empty and blank are the same thing: absent. Order, unknown fields and unknown attributes mean nothing.
 */

import type { XmlElement } from '../xml.ts'
import type { Findings, Place } from './findings.ts'
import type { Form } from './forms.ts'
import { quote } from './quote.ts'
import type { PartScope } from './scope.ts'

/** An element, and how findings about it are labelled. */
export interface Source {
  readonly element: XmlElement
  readonly label: string
  readonly findings: Findings
}

interface Value {
  readonly text: string
  readonly line: number
}

/** Labelled by its kind and its `name`. */
export function named(kind: string, element: XmlElement, findings: Findings): Source {
  const name = element.attributes.name?.trim() ?? ''
  const shown = /^[\w.:-]{1,64}$/.test(name) ? name : quote(name)
  return { element, label: name === '' ? kind : `${kind} ${shown}`, findings }
}

export function placeOf(source: Source, line: number = source.element.line): Place {
  return { file: source.element.file, line, label: source.label }
}

/** The one field of that name; two are an error, because nothing says which one counts. */
export function field(source: Source, name: string): XmlElement | undefined {
  const [first, second] = source.element.children.filter((child) => isNamed(child, name))
  if (second) source.findings.error(placeOf(source, second.line), `${name} is there twice`)
  return first
}

export function items(source: Source, name: string, tag: string): readonly XmlElement[] {
  return field(source, name)?.children.filter((child) => child.name === tag) ?? []
}

export function isPresent(source: Source, name: string): boolean {
  return values(source, name).length > 0
}

export function optional<T>(source: Source, name: string, form: Form<T>): T | undefined {
  const [value, second] = values(source, name)
  if (second) return source.findings.error(placeOf(source, second.line), `${name} has more than one value`)
  return value && read(source, name, value, form)
}

export function required<T>(source: Source, name: string, form: Form<T>): T | undefined {
  if (isPresent(source, name)) return optional(source, name, form)
  const line = field(source, name)?.line
  return source.findings.error(placeOf(source, line), `${name} is missing`)
}

export function list<T>(source: Source, name: string, form: Form<T>): readonly T[] {
  return values(source, name).flatMap((value) => read(source, name, value, form) ?? [])
}

/** A list whose values can be left out one by one. */
export function listOfParts<T>(source: Source, name: string, form: Form<T>, scope: PartScope): readonly T[] {
  return values(source, name).flatMap((value) => {
    return read({ ...source, findings: source.findings.within(scope) }, name, value, form) ?? []
  })
}

export function requiredList<T>(source: Source, name: string, form: Form<T>): readonly T[] {
  if (!isPresent(source, name)) required(source, name, form)
  return list(source, name, form)
}

export function attribute<T>(source: Source, name: string, form: Form<T>): T | undefined {
  const text = source.element.attributes[name]?.trim()
  if (!text) return source.findings.error(placeOf(source), `${name} is missing`)
  return read(source, name, { text, line: source.element.line }, form)
}

function read<T>(source: Source, name: string, value: Value, form: Form<T>): T | undefined {
  const result = form.read(value.text)
  if (result !== undefined) return result
  return source.findings.error(placeOf(source, value.line), `${name} ${quote(value.text)} is not ${form.is}`)
}

function values(source: Source, name: string): readonly Value[] {
  const element = field(source, name)
  const parts = element?.children.filter((child) => child.name === 'value') ?? []
  const holders = element && parts.length === 0 ? [element] : parts
  return holders.map(({ text, line }) => ({ text: text.trim(), line })).filter(({ text }) => text !== '')
}

function isNamed(child: XmlElement, name: string): boolean {
  return child.name === name || (child.name === 'property' && child.attributes.name?.trim() === name)
}
