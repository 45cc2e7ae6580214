/**
 * The text files of 3.4, where there was no view yet, as the document that later versions would have made of them, so
 * that one reader reads them all:
 *
 *   config-cc         the cluster's settings and which public address is whose private one
 *   network-topology  rules and members of every group of the cloud
 *   local-net         what runs on one node; called `local-net.ADDRESS` where there is more than one
 *
 * Invariants: every element knows its file and line. A member of a group that no `local-net` lists runs elsewhere: it is
 * an instance without a node, with an id made from its address, so that groups are whole and its address is known.
 */

import { type Ipv4, parseIpv4 } from '../ipv4.ts'
import type { Findings } from '../parse/findings.ts'
import type { XmlElement } from '../xml.ts'
import { readConfigCc } from './config-cc.ts'
import { element, type WireFile } from './element.ts'
import { type LocalNet, readLocalNet } from './local-net.ts'
import { readTopology, type Topology } from './topology.ts'

export function readWire34(files: readonly WireFile[], onlyNode: string | undefined, findings: Findings): XmlElement {
  const config = readConfigCc(fileNamed(files, 'config-cc'), findings)
  const topology = readTopology(fileNamed(files, 'network-topology'), findings)
  const nodes = files
    .filter(({ name }) => name.startsWith('local-net'))
    .map((file) => readLocalNet(file, onlyNode, topology, findings))

  const controllers = nodes.flatMap(({ controller }) => controller ?? [])
  const at = { file: 'config-cc', line: 1 }
  return element('network-data', at, '', [
    element('configuration', at, '', [
      ...config.properties,
      config.cluster(
        controllers[0],
        nodes.flatMap(({ node }) => node ?? []),
      ),
    ]),
    element('instances', at, '', [
      ...nodes.flatMap(({ instances }) => instances),
      ...elsewhere(topology, nodes, config.publicOf),
    ]),
    element('securityGroups', { file: 'network-topology', line: 1 }, '', topology.groups),
  ])
}

function fileNamed(files: readonly WireFile[], name: string): WireFile {
  return files.find((file) => file.name === name) ?? { name, text: '' }
}

function elsewhere(
  { memberships }: Topology,
  nodes: readonly LocalNet[],
  publicOf: ReadonlyMap<string, string>,
): readonly XmlElement[] {
  const local = new Set(nodes.flatMap(({ addresses }) => addresses))
  return [...memberships].flatMap(([address, { at, owner, groups }]) => {
    const parsed = parseIpv4(address)
    if (local.has(address)) return []
    return element(
      'instance',
      at,
      '',
      [
        element('ownerId', at, owner),
        element('privateIp', at, address),
        element('publicIp', at, publicOf.get(address) ?? ''),
        element(
          'securityGroups',
          at,
          '',
          groups.map((group) => element('value', at, group)),
        ),
      ],
      parsed ? idOf(parsed) : address,
    )
  })
}

/** Longer than the ids of its time, so never one of them. */
function idOf(address: Ipv4): string {
  const digits = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'))
  return `i-${digits.join('').padStart(17, '0')}`
}
