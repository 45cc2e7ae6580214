/** `edgepush trust scan`: the host keys of nodes as they offer them now. Logs in nowhere, writes nothing. */

import { EXIT, type ExitCode } from '../error.ts'
import { isTrusted } from '../node/trust.ts'
import { chosenNodes } from './chosen.ts'
import type { Context, NodeFlags } from './context.ts'
import { configure } from './gather.ts'
import { worstOf } from './node-failure.ts'
import { keyLine, scanAll, scanTable } from './scanned.ts'

export interface TrustScanFlags extends NodeFlags {
  readonly forks: number | undefined
}

export async function trustScan(
  playbook: string | undefined,
  flags: TrustScanFlags,
  context: Context,
): Promise<ExitCode> {
  const { inventory } = configure(flags, playbook, context)
  const { terminal, version } = context
  const { scanned, failures } = await scanAll(chosenNodes(inventory, flags, context), flags, context)
  if (flags.json) {
    const first = { type: 'edgepush', format: 1, version, command: 'trust scan' }
    const keys = scanned.flatMap(({ node, keys: offered }) => offered.map((key) => keyLine(node, key)))
    const failed = failures.map((failure) => ({ type: 'failure', ...failure }))
    for (const line of [first, ...keys, ...failed]) terminal.out(`${JSON.stringify(line)}\n`)
  } else terminal.out(scanTable(scanned))
  for (const { message } of failures) terminal.err(`${message}\n`)

  const distrusted = scanned.filter(({ keys }) => !isTrusted(keys))
  const isNew = distrusted.some(({ keys }) => keys.every(({ is }) => is === 'unknown'))
  if (isNew && !terminal.quiet) {
    terminal.err(`compare with what the nodes' consoles say, then: edgepush trust add -i ${inventory.file}\n`)
  }
  return distrusted.length > 0 ? EXIT.noPermission : worstOf(failures)
}
