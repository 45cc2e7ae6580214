/** The cases of test/cases/<mode>: a view, who the nodes are, and what the original made of it on each of them. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle } from '../../src/bundle/bundle.ts'
import { declaredBundle, served } from '../../src/commands/node-bundle.ts'
import { type ServedView, servedView } from '../../src/commands/served-view.ts'
import { type InventoryNode, loadInventory } from '../../src/config/inventory.ts'
import { packageTemplates } from '../../src/config/templates.ts'
import type { Role } from '../../src/modes/mode.ts'
import { STRICT } from '../../src/view/parse.ts'

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
  const { view, mode: serving } = caseView(folder, name)
  const templates = packageTemplates()
  const nodes = served(loadInventory(join(folder, 'inventory.yml'), 'the test').nodes, {
    view,
    mode: serving,
    templates,
  })
  return nodes.map((node) => ({
    name: node.name,
    address: node.address,
    role: node.role,
    options: node.options,
    bundle: declaredBundle(node, { view, mode: serving, templates }),
    expected: join(folder, 'expected', node.name),
    reference: (file: string) => readIfThere(join(folder, 'eucanetd', node.address, file)),
  }))
}

/** A view, or what one is made of. */
function caseView(folder: string, name: string): ServedView {
  const reading = { ...STRICT, lenient: true }
  const read = (file: string) => ({ name: `${name}/${file}`, text: readFileSync(join(folder, file), 'utf8') })
  const source = { text: '', origin: name, modified: undefined }
  if (existsSync(join(folder, 'view.xml'))) return servedView({ ...source, text: read('view.xml').text }, reading)
  const configured = { conf: read('eucalyptus.conf'), list: read('instances.yml') }
  return servedView({ ...source, configured }, reading)
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
