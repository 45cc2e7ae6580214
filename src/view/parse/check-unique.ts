/**
 * What two parts of a view must not share. The original accepts all of it, and then one of the two works, or neither:
 * rules of one instance are applied to another, an address is announced from two places.
 */

import type { Cluster, Instance, ViewNode } from '../view.ts'
import type { ViewDocument } from './document.ts'
import type { Findings, PartFindings, Place } from './findings.ts'
import type { PartScope } from './scope.ts'

/** A node names an instance's interface by this much of its id, whatever the id's length. */
const INTERFACE_ID_LENGTH = 10

interface Conflict<T> {
  readonly value: T
  /** What stands before it and has the same key. */
  readonly first: T
  readonly key: string
}

/** What is said of one side of a conflict, in view of the other. */
type Message = (key: string, other: Place) => string

/**
 * The groups and instances that have something in common with another. Nothing says which of the two is right, so where
 * parts may be left out it is both; of clusters and nodes none can be.
 */
export function checkUnique({ clusters, groups, instances }: ViewDocument, findings: Findings): ReadonlySet<object> {
  const nodes = clusters.flatMap((cluster) => cluster.nodes)
  const twins: readonly Conflict<Cluster | ViewNode>[] = [...conflicts(clusters, nameOf), ...conflicts(nodes, nameOf)]
  for (const { value, first, key } of twins) {
    findings.error(findings.placeOf(value), twice(key, findings.placeOf(first)))
  }

  const parts = new Map<object, PartFindings>()
  function blame(found: readonly Conflict<object>[], scope: PartScope, message: Message): void {
    for (const { value, first, key } of found) {
      blameOne(value, first, key)
      if (findings.isLenient) blameOne(first, value, key)
    }
    function blameOne(one: object, other: object, key: string): void {
      const part = parts.get(one) ?? findings.within(scope)
      parts.set(one, part)
      part.error(findings.placeOf(one), message(key, findings.placeOf(other)))
    }
  }

  blame(conflicts(groups, idOf), 'group', twice)
  const copies = conflicts(instances, idOf)
  blame(copies, 'instance', twice)
  // Of an instance that is there twice everything is.
  const distinct = instances.filter((instance) => copies.every(({ value }) => value !== instance))
  blame(conflicts(distinct, addressesOf), 'instance', alsoOf('address'))
  blame(conflicts(distinct, macsOf), 'instance', alsoOf('MAC address'))
  const byId = new Map(distinct.map((instance) => [instance.id, instance]))
  for (const node of nodes) {
    const local = node.instances.flatMap((id) => byId.get(id) ?? [])
    blame(conflicts(local, interfaceOf), 'instance', alsoOf('interface'))
  }
  return new Set([...parts.keys(), ...homeless(nodes, byId, findings)])
}

/** Instances that two nodes list. */
function homeless(
  nodes: readonly ViewNode[],
  byId: ReadonlyMap<string, Instance>,
  findings: Findings,
): readonly Instance[] {
  return conflicts(nodes, (node) => node.instances).flatMap(({ value, first, key }) => {
    const { label, line } = findings.placeOf(first)
    findings.within('instance').error(findings.placeOf(value), `instance ${key} is also on ${label} (line ${line})`)
    return byId.get(key) ?? []
  })
}

function conflicts<T extends object>(
  values: readonly T[],
  keysOf: (value: T) => readonly string[],
): readonly Conflict<T>[] {
  const firsts = new Map<string, T>()
  return values.flatMap((value) =>
    keysOf(value).flatMap((key) => {
      const first = firsts.get(key)
      if (!first) firsts.set(key, value)
      return first ? [{ value, first, key }] : []
    }),
  )
}

function twice(_key: string, { line }: Place): string {
  return `is there twice, also in line ${line}`
}

function alsoOf(what: string): Message {
  return (key, { label, line }) => `${what} ${key} is also that of ${label} (line ${line})`
}

function nameOf({ name }: { readonly name: string }): readonly string[] {
  return [name]
}

function idOf({ id }: { readonly id: string }): readonly string[] {
  return [id]
}

/** Public and private addresses are one space: a private address that is somebody's public one would be translated. */
function addressesOf({ privateAddress, publicAddress }: Instance): readonly string[] {
  return publicAddress === undefined ? [privateAddress] : [privateAddress, publicAddress]
}

function macsOf({ mac }: Instance): readonly string[] {
  return mac === undefined ? [] : [mac]
}

function interfaceOf({ id }: Instance): readonly string[] {
  return [`vn_${id.slice(0, INTERFACE_ID_LENGTH)}`]
}
