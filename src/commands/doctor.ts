/**
 * `edgepush doctor`: can each node be logged in to, does the login become root's, is it understood, is its journal whole,
 * and does it show what its mode depends on? Changes nothing. With --sudoers it asks nobody, but prints what has to be in a
 * sudoers file of the nodes.
 */

import type { Templates } from '../bundle/templates.ts'
import type { InventoryNode } from '../config/inventory.ts'
import { packageTemplates } from '../config/templates.ts'
import { EXIT, type ExitCode, Refusal } from '../error.ts'
import { MODES } from '../modes/index.ts'
import { resolveOptions } from '../modes/settings.ts'
import { sudoersLine } from '../node/command.ts'
import { examine, type Symptom } from '../node/examine.ts'
import { type Journal, readJournal } from '../node/journal.ts'
import { type Probed, probe } from '../node/probe.ts'
import type { Connection } from '../node/transport.ts'
import { table } from '../report/table.ts'
import { working } from '../report/working.ts'
import { chosenNodes, completed } from './chosen.ts'
import type { Context, NodeFlags } from './context.ts'
import { eachNode } from './each-node.ts'
import { configure } from './gather.ts'
import { type Failed, failed, worstOf } from './node-failure.ts'

export interface DoctorFlags extends NodeFlags {
  readonly sudoers: boolean
  readonly forks: number | undefined
}

interface Finding {
  readonly node: string
  readonly about: string
  readonly text: string
}

export async function doctor(playbook: string | undefined, flags: DoctorFlags, context: Context): Promise<ExitCode> {
  const { inventory } = configure(flags, playbook, context)
  const nodes = await completed(chosenNodes(inventory, flags, context), context)
  if (flags.sudoers) return printSudoers(nodes, context)

  const templates = packageTemplates()
  const work = eachNode(nodes, flags, (node) => askOne(node, templates, context))
  const results = (await working(context.terminal, 'asking the nodes', work)).flat()

  const findings = results.filter((result) => 'about' in result)
  const failures = results.filter((result) => 'exitCode' in result)
  context.terminal.out(flags.json ? asJson([...findings, ...failures], context) : asTable(findings))
  for (const { message } of failures) context.terminal.err(`${message}\n`)
  return worstOf(failures)
}

/** What was found until something failed, and what failed. */
async function askOne(
  node: InventoryNode,
  templates: Templates,
  { transport }: Context,
): Promise<readonly (Finding | Failed)[]> {
  const { name, target } = node
  const findings: Finding[] = []
  try {
    const connection = await transport.connect(target)
    try {
      findings.push({ node: name, about: 'login', text: target.become ? `${target.user}, root by sudo` : target.user })
      const probed = await probe(connection, templates)
      findings.push({ node: name, about: 'probe', text: describe(probed) })
      findings.push({ node: name, about: 'journal', text: wholeness(await readJournal(connection)) })
      const symptoms = await symptomsOf(node, probed, connection)
      findings.push(...symptoms.map((symptom) => ({ node: name, ...symptom })))
    } finally {
      connection.close()
    }
    return findings
  } catch (error) {
    return [...findings, failed(name, error)]
  }
}

/** Of the mode that the node holds, or else of the one that its own configuration says; none of one we do not know. */
async function symptomsOf(
  { role, options }: InventoryNode,
  { holding, conf }: Probed,
  connection: Connection,
): Promise<readonly Symptom[]> {
  const name = holding?.mode ?? conf.VNET_MODE?.value
  const duty = MODES.find((mode) => mode.name === name)?.duties[role]
  if (duty?.symptoms === undefined) return []
  return await examine(connection, duty.symptoms, resolveOptions(duty.options, options, conf).options)
}

function wholeness({ lines, broken }: Journal): string {
  if (broken === undefined) return `${lines} lines, whole`
  const next = 'look at /var/lib/edgepush/journal there: who else writes to it?'
  throw new Refusal(
    EXIT.someFailed,
    `line ${broken} of its journal is not what was written, or the one before is gone`,
    next,
  )
}

function describe({ facts, holding }: Probed): string {
  const version = facts.eucalyptusVersion === undefined ? '' : `Eucalyptus ${facts.eucalyptusVersion}, `
  if (!holding) return `${version}holds nothing of ours`
  return `${version}${holding.held ? 'holds' : 'has'} ${holding.digest.slice(0, 12)}${holding.held ? '' : ', but differs'}`
}

function printSudoers(nodes: readonly InventoryNode[], { terminal }: Context): ExitCode {
  const users = new Set(nodes.map(({ target }) => target.user))
  users.delete('root')
  if (users.size === 0) {
    const example = 'ssh: { user: edgepush, become: sudo }'
    throw new Refusal(EXIT.usage, 'all of these nodes are logged in to as root, which needs no sudoers line', example)
  }
  for (const user of users) terminal.out(`${sudoersLine(user)}\n`)
  return EXIT.ok
}

function asTable(findings: readonly Finding[]): string {
  return table(findings.map(({ node, about, text }) => [node, about, text]))
}

function asJson(results: readonly (Finding | Failed)[], { version }: Context): string {
  const first = { type: 'edgepush', format: 1, version, command: 'doctor' }
  const lines = results.map((result) => ({ type: 'about' in result ? 'finding' : 'failure', ...result }))
  return [first, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('')
}
