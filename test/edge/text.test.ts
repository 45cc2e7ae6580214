/**
 * Every file as reviewed. The apply script and the manifest are the same for all nodes but for digests and options, so
 * they are kept for one node only.
 */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MANIFEST, SCRIPT } from '../../src/bundle/bundle.ts'
import { type CaseNode, caseNames, caseNodes } from './cases.ts'

const WHOLE = caseNodes('one-cluster')[0]?.expected

describe.each(caseNames())('%s', (name) => {
  it.each(caseNodes(name))('$name renders as reviewed', async (node) => {
    const files = reviewed(node)
    for (const { name: file, text } of files) await expect(text).toMatchFileSnapshot(join(node.expected, file))
    expect(readdirSync(node.expected).toSorted()).toEqual(files.map(({ name: file }) => file))
  })
})

function reviewed({ bundle, expected }: CaseNode): CaseNode['bundle']['files'] {
  return bundle.files.filter(({ name }) => expected === WHOLE || ![MANIFEST, SCRIPT].includes(name))
}
