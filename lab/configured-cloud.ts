// A cloud that publishes no view, on the hosts of a lab: its files in a folder of the lab's directory.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bootMachine, type Machine } from './boot-machine.ts'
import type { Lab } from './make-lab.ts'

export interface CloudFiles {
  readonly conf: Readonly<Record<string, string>>
  /** The list, without its clusters. */
  readonly list: string
  /** Names of nodes to their options; the first is the cluster's controller where it has the role. */
  readonly hosts: Readonly<
    Record<string, { readonly role: 'cc' | 'nc'; readonly options: Readonly<Record<string, string>> }>
  >
  /** Of the one stage. */
  readonly verify?: string
}

export interface ConfiguredCloud {
  readonly folder: string
  readonly write: (changes: Partial<CloudFiles>) => Promise<void>
}

export async function configuredCloud(lab: Lab, name: string, files: CloudFiles): Promise<ConfiguredCloud> {
  const folder = join(lab.files.directory, name)
  await mkdir(folder)
  let current = files
  const write = async (changes: Partial<CloudFiles>) => {
    current = { ...current, ...changes }
    const texts = { ...filesOf(lab, name, current), 'instances.yml': listText(lab, current) }
    await Promise.all(Object.entries(texts).map(([file, text]) => writeFile(join(folder, file), text)))
  }
  await write({})
  return { folder, write }
}

function filesOf(lab: Lab, name: string, { conf, hosts, verify = '[]' }: CloudFiles) {
  const nodes = Object.entries(hosts).map(([host, { role, options }]) => {
    const { address } = lab.node(host)
    return `  ${host}: { address: ${address}, role: ${role}, options: ${JSON.stringify(options)} }\n`
  })
  const ssh = `{ user: root, key: ${lab.files.key}, known_hosts: ${lab.files.knownHosts} }`
  return {
    'eucalyptus.conf': Object.entries(conf)
      .map(([key, value]) => `${key}="${value}"\n`)
      .join(''),
    'inventory.yml': `cloud: ${name}\ndefaults: { ssh: ${ssh} }\nnodes:\n${nodes.join('')}`,
    'push.yml': `name: push
inventory: ./inventory.yml
source: { file: ./eucalyptus.conf, instances: ./instances.yml }
stages:
  - { name: all, targets: [all], verify: ${verify} }
`,
  }
}

function listText(lab: Lab, { hosts, list }: CloudFiles): string {
  const addresses = (role: string) => {
    return Object.entries(hosts).flatMap(([host, one]) => (one.role === role ? [lab.node(host).address] : []))
  }
  const [controller = '10.111.5.10'] = addresses('cc')
  return `clusters:\n  one: { controller: ${controller}, nodes: [${addresses('nc').join(', ')}] }\n${list}`
}

/** Plugged into a node's bridge; it asks for no address by itself. */
export async function plugIn(lab: Lab, id: string, mac: string, node: string): Promise<Machine> {
  return await bootMachine({ id, mac, bridge: 'br0', node: lab.node(node), directory: lab.files.directory })
}
