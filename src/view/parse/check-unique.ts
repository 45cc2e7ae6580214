/**
 * What two parts of a view must not share. The original accepts all of it, and then one of the two works, or neither:
 * rules of one instance are applied to another, an address is announced from two places.
 */

import type { Instance, ViewNode } from '../view.ts'
import type { ViewDocument } from './document.ts'
import type { Findings, Place } from './findings.ts'

/** A node names an instance's interface by this much of its id, whatever the id's length. */
const INTERFACE_ID_LENGTH = 10

export function checkUnique(document: ViewDocument, findings: Findings): void {
  const nodes = document.clusters.flatMap((cluster) => cluster.nodes)
  refuseShared(document.clusters, ({ name }) => [name], twice, findings)
  refuseShared(nodes, ({ name }) => [name], twice, findings)
  refuseShared(document.groups, ({ id }) => [id], twice, findings)

  const instances = refuseShared(document.instances, ({ id }) => [id], twice, findings)
  refuseShared(instances, addressesOf, alsoOf('address'), findings)
  refuseShared(instances, macsOf, alsoOf('MAC address'), findings)
  refuseShared(nodes, (node) => node.instances, alsoOn, findings)
  refuseSharedInterfaces(nodes, instances, findings)
}

/** Returns the values that share nothing with one before them. */
function refuseShared<T extends object>(
  values: readonly T[],
  keysOf: (value: T) => readonly string[],
  message: (key: string, first: Place) => string,
  findings: Findings,
): readonly T[] {
  const firsts = new Map<string, T>()
  return values.filter((value) => {
    const taken = keysOf(value).flatMap((key) => {
      const first = firsts.get(key)
      if (!first) firsts.set(key, value)
      return first ? { key, first } : []
    })
    for (const { key, first } of taken) {
      findings.error(findings.placeOf(value), message(key, findings.placeOf(first)))
    }
    return taken.length === 0
  })
}

function twice(_key: string, first: Place): string {
  return `is there twice, first in line ${first.line}`
}

function alsoOf(what: string): (key: string, first: Place) => string {
  return (key, { label, line }) => `${what} ${key} is also that of ${label} (line ${line})`
}

function alsoOn(id: string, { label, line }: Place): string {
  return `instance ${id} is also on ${label} (line ${line})`
}

/** Public and private addresses are one space: a private address that is somebody's public one would be translated. */
function addressesOf({ privateAddress, publicAddress }: Instance): readonly string[] {
  return publicAddress === undefined ? [privateAddress] : [privateAddress, publicAddress]
}

function macsOf({ mac }: Instance): readonly string[] {
  return mac === undefined ? [] : [mac]
}

function refuseSharedInterfaces(nodes: readonly ViewNode[], instances: readonly Instance[], findings: Findings): void {
  const byId = new Map(instances.map((instance) => [instance.id, instance]))
  for (const node of nodes) {
    const local = node.instances.flatMap((id) => byId.get(id) ?? [])
    refuseShared(local, interfaceOf, alsoOf('interface'), findings)
  }
}

function interfaceOf({ id }: Instance): readonly string[] {
  return [`vn_${id.slice(0, INTERFACE_ID_LENGTH)}`]
}
