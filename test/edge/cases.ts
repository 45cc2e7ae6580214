/** The cases of test/cases/edge: a view, who the nodes are, and what the original made of it on each of them. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle } from '../../src/bundle/bundle.ts'
import { declaredBundle } from '../../src/commands/node-bundle.ts'
import { loadInventory } from '../../src/config/inventory.ts'
import { packageTemplates } from '../../src/config/templates.ts'
import { modeOf } from '../../src/modes/index.ts'
import { readView } from '../../src/view/parse.ts'

const CASES = join(import.meta.dirname, '../cases/edge')

export interface CaseNode {
  readonly name: string
  readonly address: string
  readonly bundle: Bundle
  readonly expected: string
  /** One of `iptables`, `ipset`, `ebtables`, `dhcpd.conf`, `addr`; empty when the original left none. */
  reference(file: string): string
}

export function caseNames(): readonly string[] {
  return readdirSync(CASES).toSorted()
}

export function caseNodes(name: string): readonly CaseNode[] {
  const folder = join(CASES, name)
  const { view } = readView(readFileSync(join(folder, 'view.xml'), 'utf8'), `${name}/view.xml`)
  const mode = modeOf(view, name)
  const templates = packageTemplates()
  return loadInventory(join(folder, 'inventory.yml'), 'the test').nodes.map((node) => ({
    name: node.name,
    address: node.address,
    bundle: declaredBundle(node, { view, mode, templates }),
    expected: join(folder, 'expected', node.name),
    reference: (file: string) => readIfThere(join(folder, 'eucanetd', node.address, file)),
  }))
}

export function fileOf(bundle: Bundle, name: string): string {
  return bundle.files.find((file) => file.name === name)?.text ?? ''
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
