/** The parts of a document, made from lines: what later versions wrote as XML. */

import type { XmlElement } from '../xml.ts'

/** One file as it was read. */
export interface WireFile {
  readonly name: string
  readonly text: string
}

/** Where something stands in the files of a wire. */
export interface Spot {
  readonly file: string
  readonly line: number
}

export interface Line extends Spot {
  readonly text: string
}

export function element(
  name: string,
  { file, line }: Spot,
  text: string,
  children: readonly XmlElement[] = [],
  called?: string,
): XmlElement {
  return { name, attributes: called === undefined ? {} : { name: called }, children, text, line, file }
}

export function property(name: string, at: Spot, values: readonly (Line | string)[]): XmlElement {
  const children = values.map((value) => {
    return typeof value === 'string' ? element('value', at, value) : element('value', value, value.text)
  })
  return element('property', at, '', children, name)
}

/** The lines that say something, with their numbers. */
export function linesOf({ name, text }: WireFile): readonly Line[] {
  return text
    .split(/\r?\n/)
    .map((line, index) => ({ file: name, line: index + 1, text: line.trim() }))
    .filter((line) => line.text !== '')
}
