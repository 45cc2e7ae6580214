/** What the schema of an inventory cannot say: names and addresses that contradict each other. */

import type { Target } from '../node/transport.ts'
import type { Defect } from './defect.ts'
import { didYouMean } from './did-you-mean.ts'
import type { Document } from './document.ts'
import type { InventoryYaml } from './inventory.schema.ts'

/** `targets` lacks the nodes that nobody gives a role. */
export function findInventoryDefects(document: Document<InventoryYaml>, targets: readonly Target[]): readonly Defect[] {
  const names = document.keys(['nodes'])
  const logins = new Map(targets.map((target) => [target.name, toLogin(target)]))
  return [
    ...findNameDefects(document, names),
    ...findUnknownMembers(document, names),
    ...names.filter((name) => !logins.has(name)).map(roleMissing),
    ...findShared(names, (name) => document.value.nodes[name]?.address).map(({ name, value, owner }) => ({
      path: ['nodes', name, 'address'],
      problem: `${value} is already the address of "${owner}"`,
    })),
    ...findShared(names, (name) => logins.get(name)).map(({ name, value, owner }) => ({
      path: ['nodes', name],
      problem: `ssh would log in to ${value}, which is "${owner}"`,
    })),
  ]
}

function findNameDefects(document: Document<InventoryYaml>, names: readonly string[]): readonly Defect[] {
  const groups = document.keys(['groups'])
  const taken = new Set(names)
  return [
    ...reserved('nodes', names),
    ...reserved('groups', groups),
    ...groups
      .filter((group) => taken.has(group))
      .map((group) => ({ path: ['groups'], atKey: group, problem: `"${group}" is already the name of a node` })),
  ]
}

function reserved(section: string, names: readonly string[]): readonly Defect[] {
  if (!names.includes('all')) return []
  return [{ path: [section], atKey: 'all', problem: '"all" means every node; choose another name' }]
}

function findUnknownMembers(document: Document<InventoryYaml>, names: readonly string[]): readonly Defect[] {
  const known = new Set(names)
  return document.keys(['groups']).flatMap((group) =>
    (document.value.groups?.[group]?.nodes ?? []).flatMap((member, index) => {
      if (known.has(member)) return []
      const problem = `no node is named "${member}"${didYouMean(member, names)}`
      return [{ path: ['groups', group, 'nodes', index], problem }]
    }),
  )
}

function roleMissing(name: string): Defect {
  return { path: ['nodes', name], problem: 'role is missing here, in its groups and in defaults: nc, cc or clc' }
}

/** The same address behind another jump host may be another host. */
function toLogin({ user, host, port, jump }: Target): string {
  return `${user}@${host}:${port}${jump ? ` through ${jump.join(', ')}` : ''}`
}

/** Every name but the first of those that have the same value. */
function findShared(
  names: readonly string[],
  toValue: (name: string) => string | undefined,
): readonly { readonly name: string; readonly value: string; readonly owner: string }[] {
  const owners = new Map<string, string>()
  return names.flatMap((name) => {
    const value = toValue(name)
    if (value === undefined) return []
    const owner = owners.get(value)
    if (owner !== undefined) return [{ name, value, owner }]
    owners.set(value, name)
    return []
  })
}
