/** Who is there in a cloud that publishes no view: a list in YAML, with the line of everything in it. */

import type { InstanceList, ListedCluster, ListedGroup, ListedInstance } from '../view/conf/instance-list.ts'
import type { Line } from '../view/wire34/element.ts'
import type { KeyPath } from './defect.ts'
import { type Document, parseDocument } from './document.ts'
import { INSTANCE_LIST_SCHEMA, type InstanceListYaml } from './instance-list.schema.ts'

type Yaml = Document<InstanceListYaml>

/** `file` is how messages name it. */
export function readInstanceList(text: string, file: string): InstanceList {
  const document = parseDocument(text, file, INSTANCE_LIST_SCHEMA)
  const scalar = scalars(document)
  const listed = <T>(section: string, read: (name: string) => T) => document.keys([section]).map(read)
  return {
    file,
    cloudController: scalar(['cloud_controller']),
    tags: { first: scalar(['tags', 'first']), last: scalar(['tags', 'last']) },
    clusters: listed('clusters', (name) => toCluster(name, document)),
    groups: listed('groups', (name) => toGroup(name, document)),
    instances: listed('instances', (name) => toInstance(name, document)),
  }
}

function toCluster(name: string, document: Yaml): ListedCluster {
  const path = ['clusters', name]
  const { controller = '', nodes = [] } = document.value.clusters[name] ?? {}
  return {
    name: lineAt(document, path, name),
    controller: lineAt(document, [...path, 'controller'], controller),
    nodes: nodes.map((node, index) => lineAt(document, [...path, 'nodes', index], node)),
  }
}

function toGroup(name: string, document: Yaml): ListedGroup {
  const path = ['groups', name]
  const { rules = [] } = document.value.groups?.[name] ?? {}
  return {
    name: lineAt(document, path, name),
    owner: scalars(document)([...path, 'owner']),
    rules: rules.map((rule, index) => lineAt(document, [...path, 'rules', index], rule)),
  }
}

function toInstance(id: string, document: Yaml): ListedInstance {
  const path = ['instances', id]
  const { node = '', groups = [] } = document.value.instances?.[id] ?? {}
  const scalar = scalars(document)
  return {
    id: lineAt(document, path, id),
    node: lineAt(document, [...path, 'node'], node),
    mac: scalar([...path, 'mac']),
    address: scalar([...path, 'address']),
    publicAddress: scalar([...path, 'public_address']),
    owner: scalar([...path, 'owner']),
    groups: groups.map((group, index) => lineAt(document, [...path, 'groups', index], group)),
  }
}

/** What is written there, if something is: an account keeps the zeros that it begins with. */
function scalars(document: Yaml): (path: KeyPath) => Line | undefined {
  return (path) => {
    const last = String(path.at(-1))
    const isThere = document.keys(path.slice(0, -1)).includes(last)
    return isThere ? lineAt(document, path, document.written(path)) : undefined
  }
}

function lineAt({ file, lineOf }: Yaml, path: KeyPath, text: string): Line {
  return { file, line: lineOf(path), text }
}
