/** `edgepush trust list`: what known_hosts has for each node. Asks nobody. */

import type { InventoryNode } from '../config/inventory.ts'
import { EXIT, type ExitCode, Refusal } from '../error.ts'
import { fingerprint } from '../node/fingerprint.ts'
import { readKnownHosts } from '../node/host-key.ts'
import { type KnownHost, knownHostName } from '../node/known-hosts.ts'
import { NotTrusted } from '../node/transport.ts'
import { table } from '../report/table.ts'
import { chosenNodes, completed } from './chosen.ts'
import type { Context, NodeFlags } from './context.ts'
import { configure } from './gather.ts'

export async function trustList(playbook: string | undefined, flags: NodeFlags, context: Context): Promise<ExitCode> {
  const { inventory } = configure(flags, playbook, context)
  const nodes = await completed(chosenNodes(inventory, flags, context), context)
  const known = await Promise.all(nodes.map(async (node) => ({ node, entries: await read(node) })))
  context.terminal.out(flags.json ? asJson(known, context) : asTable(known))
  return EXIT.ok
}

interface Known {
  readonly node: InventoryNode
  readonly entries: readonly KnownHost[]
}

async function read({ target }: InventoryNode): Promise<readonly KnownHost[]> {
  try {
    return await readKnownHosts(target)
  } catch (error) {
    if (!(error instanceof NotTrusted)) throw error
    throw new Refusal(EXIT.noPermission, error.message, error.next)
  }
}

function asTable(known: readonly Known[]): string {
  return table([
    ['NODE', 'HOST', 'TYPE', 'FINGERPRINT', 'LINE'],
    ...known.flatMap(({ node: { name, target }, entries }) => {
      const host = knownHostName(target.host, target.port)
      if (entries.length === 0) return [[name, host, '-', 'no key is known', '-']]
      return entries.map(({ type, key, marker, file, line }) => {
        return [name, host, type, fingerprint(key), `${file}:${line}${marker ? ` ${marker}` : ''}`]
      })
    }),
  ])
}

function asJson(known: readonly Known[], { version }: Context): string {
  const first = { type: 'edgepush', format: 1, version, command: 'trust list' }
  const lines = known.map(({ node: { name, target }, entries }) => {
    const keys = entries.map(({ type, key, marker, file, line }) => {
      return { keyType: type, fingerprint: fingerprint(key), marker, file, line }
    })
    return { type: 'known', node: name, host: knownHostName(target.host, target.port), keys }
  })
  return [first, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('')
}
