/**
 * XML text to a small tree, or an `XmlError` that says where it stopped being one.
 *
 * Strict, because a document that is cut short but still read would look like "everything was removed". What a cloud
 * controller never writes is refused rather than understood: document types (hence entity declarations), namespaces,
 * deep nesting. Comments, processing instructions and a byte order mark carry no meaning and are skipped.
 */

import { SaxesParser } from 'saxes'

export interface XmlElement {
  readonly name: string
  /** Has no prototype: a name that is not there is undefined, whatever it is. */
  readonly attributes: Readonly<Partial<Record<string, string>>>
  readonly children: readonly XmlElement[]
  /** All character data directly inside, CDATA included, untrimmed. */
  readonly text: string
  /** Where the start tag begins, counted from 1. */
  readonly line: number
  /** Of the files of a view the one it stands in, where there is more than one. */
  readonly file?: string
}

export class XmlError extends Error {
  readonly line: number
  readonly column: number

  constructor(message: string, line: number, column: number) {
    super(message)
    this.name = 'XmlError'
    this.line = line
    this.column = column
  }
}

interface OpenElement extends XmlElement {
  readonly children: XmlElement[]
  text: string
}

const MAX_DEPTH = 32

export function parseXml(text: string): XmlElement {
  // 1.1 would let control characters in as character references.
  const parser = new SaxesParser({ xmlns: false, defaultXMLVersion: '1.0', forceXMLVersion: true })
  const open: OpenElement[] = []
  let root: XmlElement | undefined
  let line = 1

  function fail(message: string): never {
    throw new XmlError(message, parser.line, parser.column)
  }

  function append(characters: string): void {
    const element = open.at(-1)
    if (element) element.text += characters
  }

  parser.on('error', (error) => fail(error.message.replace(/^(\d+:\d+: )?/, '')))
  parser.on('doctype', () => fail('a document type is not accepted'))
  parser.on('opentagstart', () => {
    // Comes with the first character after the name; that may have been the end of the line.
    line = parser.column === 0 ? parser.line - 1 : parser.line
  })
  parser.on('opentag', ({ name, attributes }) => {
    if (open.length === MAX_DEPTH) fail(`more than ${MAX_DEPTH} elements inside each other`)
    if (Object.keys(attributes).some(isNamespace)) fail(`a namespace is not accepted (on <${name}>)`)
    open.push({ name, attributes, children: [], text: '', line })
  })
  parser.on('text', append)
  parser.on('cdata', append)
  parser.on('closetag', () => {
    const element = open.pop()
    const parent = open.at(-1)
    if (element && parent) parent.children.push(element)
    else root = element
  })

  parser.write(text).close()
  return root ?? fail('there is no element')
}

function isNamespace(attribute: string): boolean {
  return attribute === 'xmlns' || attribute.startsWith('xmlns:')
}
