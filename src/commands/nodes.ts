/** `edgepush nodes`: who is in the inventory, and how it is reached. Asks nobody. */

import { EXIT, type ExitCode } from '../error.ts'
import { table } from '../report/table.ts'
import { chosenNodes } from './chosen.ts'
import type { Context, NodeFlags } from './context.ts'
import { configure } from './gather.ts'

export function nodes(playbook: string | undefined, flags: NodeFlags, context: Context): ExitCode {
  const { inventory } = configure(flags, playbook, context)
  const members = inventory.groups.map((group) => ({ name: group.name, nodes: new Set(group.nodes) }))
  const rows = chosenNodes(inventory, flags, context).map(({ name, address, role, target }) => {
    const groups = members.filter((group) => group.nodes.has(name)).map((group) => group.name)
    return { name, address, role, login: `${target.user}@${target.host}:${target.port}`, groups }
  })
  if (flags.json) {
    const first = { type: 'edgepush', format: 1, version: context.version, command: 'nodes' }
    for (const line of [first, ...rows.map((row) => ({ type: 'node', ...row }))]) {
      context.terminal.out(`${JSON.stringify(line)}\n`)
    }
    return EXIT.ok
  }
  const head = ['NODE', 'ADDRESS', 'ROLE', 'LOGIN', 'GROUPS']
  const body = rows.map(({ name, address, role, login, groups }) => [name, address, role, login, groups.join(',')])
  context.terminal.out(table([head, ...body]))
  return EXIT.ok
}
