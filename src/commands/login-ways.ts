/** By which hosts nodes are logged in to, where OpenSSH's configuration has a word in it: it will be asked anyway. */

import type { InventoryNode } from '../config/inventory.ts'
import { NotTrusted, type Target } from '../node/transport.ts'
import { working } from '../report/working.ts'
import type { Context } from './context.ts'
import type { Ways } from './doubt-path.ts'

export async function loginWays(nodes: readonly InventoryNode[], { hosts, terminal }: Context): Promise<Ways> {
  const open = nodes.filter(({ target: { jump = [], leaves = [] } }) => jump.length + leaves.length > 0)
  const asking = Promise.all(open.map(async ({ name, target }) => [name, await wayTo(target, hosts)] as const))
  return new Map(open.length > 0 ? await working(terminal, "asking OpenSSH's configuration", asking) : [])
}

/** What is wrong with it is told when the node is to be logged in to. */
async function wayTo(target: Target, hosts: Context['hosts']): Promise<readonly Target[]> {
  try {
    return await hosts.wayTo(target)
  } catch (error) {
    if (error instanceof NotTrusted) return []
    throw error
  }
}
