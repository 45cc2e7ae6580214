/**
 * Who the nodes are and how to reach them.
 *
 * Invariants: nodes are sorted by name, groups are in the order of the file; names of nodes and groups are unique
 * together, and none is `all`; no two nodes have the same address or the same login. What a node says wins over its
 * groups, a later group over an earlier one, a group over the defaults; lists replace, maps merge.
 */

import type { Interface, Profile, Role } from '../modes/mode.ts'
import type { Target } from '../node/transport.ts'
import type { Ipv4 } from '../view/ipv4.ts'
import { byName } from './by-name.ts'
import type { KeyPath } from './defect.ts'
import { type Document, loadDocument } from './document.ts'
import { type FactsYaml, INVENTORY_SCHEMA, type InventoryYaml } from './inventory.schema.ts'
import { findInventoryDefects } from './inventory-defects.ts'
import { type SshSettings, toTarget } from './login.ts'

export interface Inventory {
  readonly cloud: string
  readonly file: string
  readonly nodes: readonly InventoryNode[]
  readonly groups: readonly Group[]
}

export interface InventoryNode {
  readonly name: string
  /** As the view knows it; where we connect to is the target's host. */
  readonly address: Ipv4
  readonly role: Role
  readonly profile: Profile
  readonly persist: boolean
  /** Sorted by name. */
  readonly options: Readonly<Record<string, InventoryOption>>
  /** What the inventory declares, for rendering without the node. */
  readonly facts: DeclaredFacts | undefined
  readonly target: Target
  /** `file:line:column` of its name in the inventory. */
  readonly where: string
}

/** The value is not checked yet: only the mode knows what it means. */
interface InventoryOption {
  readonly value: string
  /** `file:line:column` of the value that won. */
  readonly where: string
}

interface DeclaredFacts {
  readonly bridge?: Interface
  readonly eucalyptusVersion?: string
}

interface Group {
  readonly name: string
  /** Names, sorted. */
  readonly nodes: readonly string[]
}

interface Layer {
  readonly path: KeyPath
  readonly role?: Role
  readonly profile?: Profile
  readonly persist?: boolean
  readonly ssh?: SshSettings
  readonly options?: object
}

export function loadInventory(file: string, namedBy: string): Inventory {
  const document = loadDocument(file, namedBy, INVENTORY_SCHEMA)
  const groups = document.keys(['groups']).map((name) => toGroup(document, name))
  const memberships = membershipsOf(groups)
  const nodes = Object.keys(document.value.nodes)
    .toSorted(byName)
    .flatMap((name) => resolveNode(document, memberships.get(name) ?? [], name))

  const targets = nodes.map(({ target }) => target)
  document.refuse(findInventoryDefects(document, targets))
  return { cloud: document.value.cloud, file, nodes, groups }
}

function toGroup(document: Document<InventoryYaml>, name: string): Group {
  return { name, nodes: (document.value.groups?.[name]?.nodes ?? []).toSorted(byName) }
}

/** By node, each in the order of the file. */
function membershipsOf(groups: readonly Group[]): ReadonlyMap<string, readonly string[]> {
  const memberships = new Map<string, string[]>()
  for (const { name, nodes } of groups) {
    for (const node of nodes) {
      const known = memberships.get(node)
      if (known) known.push(name)
      else memberships.set(node, [name])
    }
  }
  return memberships
}

/** Nothing for a node that nobody gives a role: it is then one of the defects. */
function resolveNode(document: Document<InventoryYaml>, groups: readonly string[], name: string): InventoryNode[] {
  const node = document.value.nodes[name]
  const layers = layersOf(document.value, groups, name)
  const role = layers.findLast((layer) => layer.role !== undefined)?.role
  if (!node || !role) return []
  return [
    {
      name,
      // The schema has checked it.
      address: node.address as Ipv4,
      role,
      profile: layers.findLast((layer) => layer.profile !== undefined)?.profile ?? 'compatible',
      persist: layers.findLast((layer) => layer.persist !== undefined)?.persist ?? false,
      options: mergeOptions(document, layers),
      facts: node.facts && toFacts(document, name, node.facts),
      target: { ...toTarget(name, node.address, mergeSsh(layers), document.file), inventory: document.file },
      where: document.whereKey(['nodes', name]),
    },
  ]
}

/** From the weakest to the strongest. */
function layersOf(inventory: InventoryYaml, groups: readonly string[], name: string): readonly Layer[] {
  return [
    { ...inventory.defaults, path: ['defaults'] },
    ...groups.map((group) => ({ ...inventory.groups?.[group], path: ['groups', group] })),
    { ...inventory.nodes[name], path: ['nodes', name] },
  ]
}

function mergeSsh(layers: readonly Layer[]): SshSettings {
  const merged: SshSettings = {}
  for (const { ssh } of layers) Object.assign(merged, ssh)
  return merged
}

function mergeOptions(document: Document<InventoryYaml>, layers: readonly Layer[]): InventoryNode['options'] {
  const merged = new Map<string, InventoryOption>()
  for (const { path, options } of layers) {
    for (const name of Object.keys(options ?? {})) {
      const option = [...path, 'options', name]
      merged.set(name, { value: document.written(option), where: document.where(option) })
    }
  }
  return Object.fromEntries([...merged].toSorted(([a], [b]) => byName(a, b)))
}

function toFacts(document: Document<InventoryYaml>, node: string, facts: FactsYaml): DeclaredFacts {
  const { bridge_mac: mac, bridge_addresses: addresses, eucalyptus_version: version } = facts
  const eucalyptusVersion = version !== undefined && document.written(['nodes', node, 'facts', 'eucalyptus_version'])
  return {
    ...(mac !== undefined && addresses && { bridge: { mac: mac.toLowerCase(), addresses } }),
    ...(eucalyptusVersion !== false && { eucalyptusVersion }),
  }
}
