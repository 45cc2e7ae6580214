/** A cluster and its nodes, as listed: which of the instance ids exist is not known here. */

import type { Cluster, Subnet, ViewNode } from '../view.ts'
import type { XmlElement } from '../xml.ts'
import { attribute, field, items, listOfParts, named, optional, placeOf, required, type Source } from './fields.ts'
import type { Findings } from './findings.ts'
import { CLUSTER_NAME, HOST, INSTANCE_ID, MAC_PREFIX, RANGE } from './forms.ts'
import type { Needs } from './needs.ts'
import { readSubnet } from './subnet.ts'

export function readCluster(element: XmlElement, findings: Findings, needs: Needs): Cluster | undefined {
  const source = named('cluster', element, findings)
  const name = attribute(source, 'name', CLUSTER_NAME)
  const controller = required(source, 'enabledCCIp', HOST)
  const macPrefix = (needs.macPrefix ? required : optional)(source, 'macPrefix', MAC_PREFIX)
  const subnet = readOwnSubnet(source)
  const privatePool = listOfParts(source, 'privateIps', RANGE, 'range')
  const nodes = items(source, 'nodes', 'node').flatMap((node) => readNode(node, findings) ?? [])

  if (name === undefined || controller === undefined) return undefined
  if (needs.macPrefix && macPrefix === undefined) return undefined
  return findings.place({ name, controller, macPrefix, subnet, privatePool, nodes }, placeOf(source))
}

function readOwnSubnet(source: Source): Subnet | undefined {
  const element = field(source, 'subnet')
  if (!element || element.children.length === 0) return undefined
  return readSubnet({ ...source, element, label: `${source.label} subnet` })
}

function readNode(element: XmlElement, findings: Findings): ViewNode | undefined {
  const source = named('node', element, findings)
  const name = attribute(source, 'name', HOST)
  const ids = listOfParts(source, 'instanceIds', INSTANCE_ID, 'placement')
  if (name === undefined) return undefined
  return findings.place({ name, instances: [...new Set(ids)] }, placeOf(source))
}
