/** The bundles of all nodes that a view names, from an inventory that declares what only a node would know. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bundle } from '../../src/bundle/bundle.ts'
import { declaredBundle } from '../../src/commands/node-bundle.ts'
import { type Inventory, loadInventory } from '../../src/config/inventory.ts'
import { packageTemplates } from '../../src/config/templates.ts'
import { modeOf } from '../../src/modes/index.ts'
import type { View } from '../../src/view/view.ts'
import { loadIntoKernel, type Texts } from '../kernel.ts'

const FACTS = '{ bridge_mac: "02:00:00:00:00:01", bridge_addresses: [192.0.2.1/24] }'
const OPTIONS = 'VNET_BRIDGE: br0, VNET_PUBINTERFACE: br0, VNET_PRIVINTERFACE: br0'

export function renderEverywhere(view: View, option = 'NC_PROXY: "N"'): readonly Bundle[] {
  const addresses = view.clusters.flatMap(({ nodes }) => nodes.map(({ name }) => name))
  const mode = modeOf(view, 'the view')
  if (addresses.length === 0) return []
  const nodes = addresses.map((address) => `  nc-${address}: { address: ${address}, facts: ${FACTS} }`)
  const text = ['cloud: test', `defaults: { role: nc, options: { ${OPTIONS}, ${option} } }`, 'nodes:', ...nodes].join(
    '\n',
  )
  const templates = packageTemplates()
  return inventoryOf(text).nodes.map((node) => declaredBundle(node, { view, mode, templates }))
}

function inventoryOf(text: string): Inventory {
  const folder = mkdtempSync(join(tmpdir(), 'edgepush-view-'))
  try {
    writeFileSync(join(folder, 'inventory.yml'), text)
    return loadInventory(join(folder, 'inventory.yml'), 'the test')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export function fileOf({ files }: Bundle, name: string): string {
  return files.find((file) => file.name === name)?.text ?? ''
}

/** What the tools print after they have loaded the bundle's files. */
export function loadBundle(bundle: Bundle): Texts {
  return loadIntoKernel({
    ipset: fileOf(bundle, 'ipset.restore'),
    iptables: fileOf(bundle, 'iptables.restore'),
    ebtables: fileOf(bundle, 'ebtables.restore'),
  })
}
