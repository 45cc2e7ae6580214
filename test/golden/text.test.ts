/**
 * Every file as reviewed. The apply script and the manifest are the same for all nodes of a role but for digests and
 * options, so they are kept for some nodes only.
 */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MANIFEST, SCRIPT } from '../../src/bundle/bundle.ts'
import { type CaseNode, caseNames, caseNodes } from './cases.ts'

const MODES = readdirSync(join(import.meta.dirname, '../cases')).toSorted()
const WHOLE = [
  caseNodes('edge', 'one-cluster')[0]?.expected,
  caseNodes('managed', 'one-cluster-two-groups')[0]?.expected,
  // A host of which nothing is wanted: its bundle is the script that verifies.
  caseNodes('system', 'one-node')[0]?.expected,
]

describe.each(MODES.flatMap((mode) => caseNames(mode).map((name) => [mode, name] as const)))('%s %s', (mode, name) => {
  it.each(caseNodes(mode, name))('$name renders as reviewed', async (node) => {
    const files = reviewed(node)
    for (const { name: file, text } of files) await expect(text).toMatchFileSnapshot(join(node.expected, file))
    expect(existsSync(node.expected) ? readdirSync(node.expected).toSorted() : []).toEqual(
      files.map(({ name: file }) => file),
    )
  })
})

function reviewed({ bundle, expected }: CaseNode): CaseNode['bundle']['files'] {
  return bundle.files.filter(({ name }) => WHOLE.includes(expected) || ![MANIFEST, SCRIPT].includes(name))
}
