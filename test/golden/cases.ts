/** The cases of test/cases/<mode>: a view, who the nodes are, and what the original made of it on each of them. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle } from '../../src/bundle/bundle.ts'
import { declaredBundle } from '../../src/commands/node-bundle.ts'
import { type InventoryNode, loadInventory } from '../../src/config/inventory.ts'
import { packageTemplates } from '../../src/config/templates.ts'
import { modeOf } from '../../src/modes/index.ts'
import type { Role } from '../../src/modes/mode.ts'
import { readView, STRICT } from '../../src/view/parse.ts'

const CASES = join(import.meta.dirname, '../cases')

export interface CaseNode {
  readonly name: string
  readonly address: string
  readonly role: Role
  readonly options: InventoryNode['options']
  readonly bundle: Bundle
  readonly expected: string
  /** One of `iptables`, `ipset`, `ebtables`, `dhcpd.conf`, `addr`; empty when the original left none. */
  reference(file: string): string
}

export function caseNames(mode: string): readonly string[] {
  return readdirSync(join(CASES, mode)).toSorted()
}

/** One view has a rule that no cloud would take: it is read without it. */
export function caseNodes(mode: string, name: string): readonly CaseNode[] {
  const folder = join(CASES, mode, name)
  const text = readFileSync(join(folder, 'view.xml'), 'utf8')
  const { view } = readView(text, `${name}/view.xml`, { ...STRICT, lenient: true })
  const serving = modeOf(view, name)
  const templates = packageTemplates()
  return loadInventory(join(folder, 'inventory.yml'), 'the test').nodes.map((node) => ({
    name: node.name,
    address: node.address,
    role: node.role,
    options: node.options,
    bundle: declaredBundle(node, { view, mode: serving, templates }),
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
