/**
 * `edgepush trust add`: writes the host keys of nodes of which nothing is known into the first known_hosts file that the
 * inventory names for them. A key that changed, or is revoked, is never touched: it is told what to type.
 */

import type { InventoryNode } from '../config/inventory.ts'
import { EXIT, type ExitCode, Refusal } from '../error.ts'
import { readKnownHosts, refuseHostKey } from '../node/host-key.ts'
import { NotTrusted } from '../node/transport.ts'
import { addKnownHosts, isTrusted, type JudgedKey, knownHostLine } from '../node/trust.ts'
import { chosenNodes } from './chosen.ts'
import type { Context, NodeFlags } from './context.ts'
import { configure } from './gather.ts'
import { type Failed, failed, worstOf } from './node-failure.ts'
import { keyLine, type Scanned, scanAll, scanTable } from './scanned.ts'

export interface TrustAddFlags extends NodeFlags {
  readonly forks: number | undefined
  readonly yes: boolean
  readonly fingerprint: string | undefined
}

export async function trustAdd(
  playbook: string | undefined,
  flags: TrustAddFlags,
  context: Context,
): Promise<ExitCode> {
  const { terminal } = context
  const { inventory } = configure(flags, playbook, context)
  const nodes = chosenNodes(inventory, flags, context)
  refuseUnasked(nodes, flags, context)
  const { scanned, failures } = await scanAll(nodes, flags, context)
  const isFresh = ({ keys }: Scanned) => keys.every(({ is }) => is === 'unknown')
  const doubtful = scanned.filter((one) => !isFresh(one) && !isTrusted(one.keys))
  const refused = [...failures, ...(await Promise.all(doubtful.map(explain)))]

  const { fingerprint } = flags
  const chosen =
    fingerprint === undefined
      ? scanned.filter(isFresh)
      : scanned.filter((one) => !doubtful.includes(one)).flatMap((one) => matching(one, fingerprint))
  // Programs read the other side, and whoever is asked must see what about.
  const show = flags.json ? terminal.err : terminal.out
  show(scanTable(scanned))
  const isAgreed = chosen.length === 0 || (await agree(chosen, flags, context))
  if (isAgreed) write(chosen)
  if (flags.json) terminal.out(asJson(isAgreed ? chosen : [], refused, context))
  for (const { message } of refused) terminal.err(`${message}\n`)
  if (!flags.json && !terminal.quiet) terminal.err(summary(isAgreed ? chosen : [], nodes.length))
  return isAgreed ? worstOf(refused) : EXIT.noPermission
}

/** Before anything is asked of a node. */
function refuseUnasked(nodes: readonly InventoryNode[], { fingerprint, yes }: TrustAddFlags, { ask }: Context): void {
  if (fingerprint !== undefined && nodes.length > 1) {
    throw new Refusal(EXIT.usage, `--fingerprint is of one node, and ${nodes.length} are selected`, 'add --node NAME')
  }
  if (fingerprint !== undefined || yes || ask) return
  const next = 'edgepush trust scan shows the keys; name one by --fingerprint, or say --yes'
  throw new Refusal(EXIT.usage, 'nobody is at a terminal to be asked whether these are the right keys', next)
}

/** The key that a person has compared already, unless it is known. */
function matching({ node, keys }: Scanned, wanted: string): readonly Scanned[] {
  const found = keys.filter(({ fingerprint }) => fingerprint === wanted)
  if (found.length > 0) return found.some(({ is }) => is === 'known') ? [] : [{ node, keys: found }]
  const shown = keys.map(({ type, fingerprint }) => `${type} ${fingerprint}`).join(', ')
  const message = `${node.name} shows no host key ${wanted}; it shows ${shown}`
  throw new Refusal(EXIT.noPermission, message, 'nothing is added; compare them with what the console of the node says')
}

async function agree(chosen: readonly Scanned[], flags: TrustAddFlags, { ask }: Context): Promise<boolean> {
  if (flags.fingerprint !== undefined || flags.yes) return true
  const names = chosen.map(({ node }) => node.name)
  const who = names.length > 10 ? `these ${names.length} nodes` : names.join(', ')
  return (await ask?.(`Are these the keys that the consoles show? Trust ${who} from now on?`)) ?? false
}

/** One writing for each file, however many nodes. */
function write(chosen: readonly Scanned[]): void {
  const lines = new Map<string, Set<string>>()
  for (const { node, keys } of chosen) {
    const file = fileOf(node)
    const added = lines.get(file) ?? new Set()
    for (const key of keys) added.add(knownHostLine(node.target, key))
    lines.set(file, added)
  }
  try {
    for (const [file, added] of lines) addKnownHosts(file, [...added])
  } catch (error) {
    if (!(error instanceof NotTrusted)) throw error
    throw new Refusal(EXIT.noPermission, error.message, error.next)
  }
}

function fileOf({ target: { knownHosts, name } }: InventoryNode): string {
  const [file] = knownHosts
  if (file === undefined) throw new Refusal(EXIT.badConfig, `the inventory names no known_hosts file for ${name}`)
  return file
}

/** In the words of whoever would refuse the login. */
async function explain({ node, keys }: Scanned): Promise<Failed> {
  const worst = keys.find(({ is }) => is === 'revoked') ?? keys.find(({ is }) => is === 'changed')
  const refusal = worst && refuseHostKey(node.target, await readKnownHosts(node.target), worst.key)
  return failed(node.name, refusal ?? new NotTrusted('its keys are not what known_hosts says', 'edgepush trust scan'))
}

function summary(added: readonly Scanned[], count: number): string {
  const files = new Set(added.map(({ node }) => fileOf(node)))
  if (added.length === 0) return 'nothing is added\n'
  return `${added.length} of ${count} nodes added to ${[...files].join(', ')}\n`
}

function asJson(added: readonly Scanned[], refused: readonly Failed[], { version }: Context): string {
  const first = { type: 'edgepush', format: 1, version, command: 'trust add' }
  const keys = added.flatMap(({ node, keys: some }) => some.map((key: JudgedKey) => keyLine(node, key)))
  const lines = keys.map((key) => ({ ...key, type: 'added' }))
  return [first, ...lines, ...refused.map((failure) => ({ type: 'failure', ...failure }))]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('')
}
