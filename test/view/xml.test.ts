import { describe, expect, test } from 'vitest'
import { parseXml, XmlError } from '../../src/view/xml.ts'

function refusal(text: string): string {
  try {
    parseXml(text)
  } catch (error) {
    if (error instanceof XmlError) return `${error.line}:${error.column}: ${error.message}`
    throw error
  }
  return 'accepted'
}

describe('a document', () => {
  test('is a tree of names, attributes, text and lines', () => {
    expect(parseXml('<a x="1">\n  <b>one</b>\n  <b\n    y="2"/>\n</a>')).toEqual({
      name: 'a',
      attributes: { x: '1' },
      text: '\n  \n  \n',
      line: 1,
      children: [
        { name: 'b', attributes: {}, text: 'one', children: [], line: 2 },
        { name: 'b', attributes: { y: '2' }, text: '', children: [], line: 3 },
      ],
    })
  })

  test('may begin with a byte order mark, a declaration, comments and processing instructions', () => {
    const text =
      '\uFEFF<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<!-- c --><?pi data?>\n<a/>\n<!-- c -->\n'
    expect(parseXml(text)).toMatchObject({ name: 'a', line: 3 })
  })

  test('may have comments, CDATA and character references in its text', () => {
    expect(parseXml('<a>1<!-- 2 -->3<![CDATA[<4>]]>&#53;&lt;&amp;</a>').text).toBe('13<4>5<&')
  })

  test('may nest 32 deep', () => {
    expect(parseXml('<a>'.repeat(32) + '</a>'.repeat(32)).name).toBe('a')
  })

  test('has no attribute that it does not write', () => {
    expect(parseXml('<a/>').attributes.constructor).toBeUndefined()
  })
})

test.each([
  ['nothing', '', '1:0: document must contain a root element.'],
  ['no XML', 'version: 1', '1:10: text data outside of root node.'],
  ['an open element', '<a><b></b>', '1:10: unclosed tag: a'],
  ['crossed elements', '<a><b></a></b>', '1:10: unexpected close tag.'],
  ['a cut tag', '<a></a', '1:6: unclosed tag: a'],
  ['two roots', '<a/><b/>', '1:7: documents may contain only one root.'],
  ['text after the root', '<a/>\njunk', '2:4: text data outside of root node.'],
  ['an attribute twice', '<a x="1" x="2"/>', '1:16: duplicate attribute: x.'],
  ['a control character', '<a>\u0001</a>', '1:4: disallowed character.'],
  ['a referenced control character', '<a>&#1;</a>', '1:7: malformed character entity.'],
  ['one that XML 1.1 would allow', '<?xml version="1.1"?><a>&#1;</a>', '1:28: malformed character entity.'],
  ['an unknown entity', '<a>&b;</a>', '1:6: undefined entity.'],
  ['a document type', '<!DOCTYPE a><a/>', '1:12: a document type is not accepted'],
  ['an entity declaration', '<!DOCTYPE a [<!ENTITY b "c">]>\n<a>&b;</a>', '1:30: a document type is not accepted'],
  [
    'an external entity',
    '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a/>',
    '1:54: a document type is not accepted',
  ],
  ['a default namespace', '<a xmlns="urn:x"/>', '1:18: a namespace is not accepted (on <a>)'],
  ['a prefixed namespace', '<a>\n<x:b xmlns:x="urn:x"/></a>', '2:22: a namespace is not accepted (on <x:b>)'],
  ['too deep nesting', '<a>'.repeat(33) + '</a>'.repeat(33), '1:99: more than 32 elements inside each other'],
])('%s: refused, with the place', (_, text, expected) => {
  expect(refusal(text)).toBe(expected)
})
