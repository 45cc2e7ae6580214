/** What nodes offer as host keys now, beside what known_hosts says; what scan and add begin with. */

import type { InventoryNode } from '../config/inventory.ts'
import { readKnownHosts } from '../node/host-key.ts'
import { knownHostName } from '../node/known-hosts.ts'
import { type JudgedKey, judgeKeys } from '../node/trust.ts'
import { type Row, table } from '../report/table.ts'
import { working } from '../report/working.ts'
import type { Context } from './context.ts'
import { eachNode } from './each-node.ts'
import { type Failed, failed } from './node-failure.ts'

export interface Scanned {
  /** Its target is complete. */
  readonly node: InventoryNode
  readonly keys: readonly JudgedKey[]
}

export async function scanAll(
  nodes: readonly InventoryNode[],
  flags: { readonly forks: number | undefined },
  { terminal, hosts }: Context,
): Promise<{ readonly scanned: readonly Scanned[]; readonly failures: readonly Failed[] }> {
  const results = await working(
    terminal,
    'asking the nodes for their host keys',
    eachNode(nodes, flags, (node) => scan(node, hosts)),
  )
  return {
    scanned: results.filter((result) => 'keys' in result),
    failures: results.filter((result) => 'exitCode' in result),
  }
}

async function scan(node: InventoryNode, hosts: Context['hosts']): Promise<Scanned | Failed> {
  try {
    const target = await hosts.complete(node.target)
    return { node: { ...node, target }, keys: judgeKeys(await readKnownHosts(target), await hosts.hostKeys(target)) }
  } catch (error) {
    return failed(node.name, error)
  }
}

export function scanTable(scanned: readonly Scanned[]): string {
  return table([
    ['NODE', 'HOST', 'TYPE', 'FINGERPRINT', 'KNOWN'],
    ...scanned.flatMap(({ node, keys }) => keys.map((key) => [node.name, ...hostCells(node, key), verdictOf(key)])),
  ])
}

function hostCells({ target: { host, port } }: InventoryNode, { type, fingerprint }: JudgedKey): Row {
  return [knownHostName(host, port), type, fingerprint]
}

function verdictOf({ is, by }: JudgedKey): string {
  return by ? `${is} (${by.file}:${by.line})` : is
}

export function keyLine({ name, target: { host, port } }: InventoryNode, { type, fingerprint, is, by }: JudgedKey) {
  const line = by && { file: by.file, line: by.line }
  return { type: 'key', node: name, host: knownHostName(host, port), keyType: type, fingerprint, is, by: line }
}
