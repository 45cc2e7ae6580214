#!/usr/bin/env node
/** argv to command to exit code; the only file that knows the process and its streams. */

import { homedir } from 'node:os'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import picocolors from 'picocolors'
import type { Context } from './commands/context.ts'
import { forksOption, formatOption, lenientOption, modeOption, viewOption } from './commands/options.ts'
import { packageVersion } from './config/package.ts'
import { PLAYBOOK_PLACES } from './config/playbook-places.ts'
import { EXIT, type ExitCode, Refusal } from './error.ts'
import type { Transport } from './node/transport.ts'
import { logger } from './report/log.ts'
import type { Terminal } from './report/terminal.ts'

/** As commander gives them. */
interface Flags {
  readonly inventory?: string
  readonly view?: string
  readonly mode?: string
  readonly lenient?: boolean
  readonly node?: readonly string[]
  readonly limit?: string
  readonly forks?: number
  readonly out?: string
  readonly live?: boolean
  readonly sudoers?: boolean
  readonly force?: boolean
  readonly dynamic?: boolean
  readonly format?: 'table' | 'csv' | 'openmetrics'
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly color: boolean
}

let exit: ExitCode = EXIT.ok
let interrupted: ExitCode | undefined

const program = new Command('edgepush')
  .description('Pushes the network of a Eucalyptus-style cloud to its nodes, over SSH.')
  .version(packageVersion(), '--version', 'print the version')
  .helpOption('-h, --help', 'print this help')
  .showHelpAfterError('(--help says more)')
  .exitOverride()

verb(
  'push',
  'bring the nodes to what the view says',
  'edgepush push -i inventories/lab.yml --view view.xml --node nc-05',
)
  .addOption(viewOption())
  .addOption(modeOption())
  .addOption(lenientOption())
  .addOption(forksOption())
  .action(async (playbook: string | undefined, flags: Flags) => {
    const { push } = await import('./commands/push.ts')
    exit = await push(playbook, complete(flags), contextFor(flags))
  })

verb(
  'render',
  'write what each node should hold, as files to read',
  'edgepush render -i inventories/lab.yml --view view.xml --out rendered',
)
  .addOption(viewOption())
  .addOption(modeOption())
  .addOption(lenientOption())
  .option('--out <dir>', 'write the files below this folder instead of printing them')
  .addOption(forksOption())
  .action(async (playbook: string | undefined, flags: Flags) => {
    const { render } = await import('./commands/render.ts')
    exit = await render(playbook, { ...complete(flags), out: flags.out }, contextFor(flags))
  })

verb('status', 'tell what became of each node in its last run', 'edgepush status -i inventories/lab.yml --live')
  .option('--live', 'ask the nodes, too')
  .addOption(forksOption())
  .action(async (playbook: string | undefined, flags: Flags) => {
    const { status } = await import('./commands/status.ts')
    exit = await status(playbook, { ...complete(flags), live: flags.live ?? false }, contextFor(flags))
  })

verb('nodes', 'list who is in the inventory', "edgepush nodes -i inventories/lab.yml -l 'canary:!nc-02'").action(
  async (playbook: string | undefined, flags: Flags) => {
    const { nodes } = await import('./commands/nodes.ts')
    exit = nodes(playbook, complete(flags), contextFor(flags))
  },
)

verb(
  'doctor',
  'try the login to each node, and what is asked first',
  'edgepush doctor -i inventories/lab.yml --sudoers',
)
  .option('--sudoers', 'ask nobody, but print the line that lets the login user become root for us')
  .addOption(forksOption())
  .action(async (playbook: string | undefined, flags: Flags) => {
    const { doctor } = await import('./commands/doctor.ts')
    exit = await doctor(playbook, { ...complete(flags), sudoers: flags.sudoers ?? false }, contextFor(flags))
  })

program
  .command('check-config')
  .description('Check a network configuration document of a cloud, JSON or YAML, and tell what it means.')
  .summary('check a network configuration document of a cloud')
  .argument('<file>', 'the document, as the cloud property cloud.network.network_configuration holds it')
  .option('--json', 'NDJSON on standard output, for programs')
  .addHelpText('after', '\nExample:\n  edgepush check-config network.yaml')
  .action(async (file: string, flags: { readonly json?: boolean }) => {
    const { checkConfig } = await import('./commands/check-config.ts')
    exit = checkConfig(file, { json: flags.json ?? false }, terminalFor({ ...flags, color: false }), packageVersion())
  })

verb('adopt', 'take nodes over from eucanetd', 'edgepush adopt -i inventories/lab.yml --view view.xml --node nc-05')
  .addOption(viewOption())
  .addOption(modeOption())
  .addOption(lenientOption())
  .option('--force', 'also where a node does not hold what the view asks for')
  .addOption(forksOption())
  .action(async (playbook: string | undefined, flags: Flags) => {
    const { adopt } = await import('./commands/adopt.ts')
    exit = await adopt(playbook, { ...complete(flags), force: flags.force ?? false }, contextFor(flags))
  })

verb(
  'release',
  'give nodes back to eucanetd, with everything as it is',
  'edgepush release -i inventories/lab.yml --node nc-05',
)
  .addOption(forksOption())
  .action(async (playbook: string | undefined, flags: Flags) => {
    const { release } = await import('./commands/release.ts')
    exit = await release(playbook, complete(flags), contextFor(flags))
  })

verb('flush', 'take everything of ours from nodes', 'edgepush flush -i inventories/lab.yml --node nc-05')
  .option('--dynamic', 'leave the chains and the jumps to them, with nothing in them')
  .option('--view <file>', "a view whose pool says which addresses are the cloud's, where no bundle of ours ever was")
  .addOption(modeOption())
  .addOption(lenientOption())
  .addOption(forksOption())
  .action(async (playbook: string | undefined, flags: Flags) => {
    const { flush } = await import('./commands/flush.ts')
    exit = await flush(playbook, { ...complete(flags), dynamic: flags.dynamic ?? false }, contextFor(flags))
  })

verb('meter', 'tell the traffic of each instance', 'edgepush meter -i inventories/lab.yml --view view.xml --format csv')
  .addOption(viewOption())
  .addOption(modeOption())
  .addOption(lenientOption())
  .addOption(formatOption())
  .addOption(forksOption())
  .action(async (playbook: string | undefined, flags: Flags) => {
    const { meter } = await import('./commands/meter.ts')
    exit = await meter(playbook, { ...complete(flags), format: flags.format ?? 'table' }, contextFor(flags))
  })

/** What all verbs about nodes take. */
function verb(name: string, does: string, example: string): Command {
  return program
    .command(name)
    .description(`${does[0]?.toUpperCase()}${does.slice(1)}.`)
    .summary(does)
    .argument('[playbook]', `how a run goes (default: ${PLAYBOOK_PLACES.join(' or ')})`)
    .option('-i, --inventory <file>', "who the nodes are (default: the playbook's)")
    .option('--node <name>', 'only this node; may be repeated', (value: string, others: readonly string[] = []) => [
      ...others,
      value,
    ])
    .option('-l, --limit <words>', 'only these: names, groups, globs; a:b both, a:&b in both, a:!b without')
    .option('--json', 'NDJSON on standard output, for programs')
    .option('-v, --verbose', 'log every step on standard error')
    .option('-q, --quiet', 'say only what went wrong')
    .option('--no-color', 'no colours (NO_COLOR in the environment does the same)')
    .addHelpText('after', `\nExample:\n  ${example}`)
}

function complete({ inventory, view, mode, lenient = false, node = [], limit, forks, json }: Flags) {
  return { inventory, view, mode, lenient, node, limit, forks, json: json ?? false }
}

function contextFor(flags: Flags): Context {
  return {
    terminal: terminalFor(flags),
    transport: ssh,
    stateFolder: stateFolder(),
    playbookPlaces: PLAYBOOK_PLACES,
    version: packageVersion(),
    signal: interruption(),
    clock: () => new Date(),
    log: logger(flags.verbose ?? false),
  }
}

/** Loaded with the first connection: most of what starting costs, and half of the commands make none. */
const ssh: Transport = {
  async connect(target) {
    const { sshTransport } = await import('./node/ssh.ts')
    return await sshTransport({ agent: process.env.SSH_AUTH_SOCK }).connect(target)
  },
}

function terminalFor({ quiet, verbose, json, color }: Flags): Terminal {
  const colors = picocolors.createColors(color && picocolors.isColorSupported && process.stdout.isTTY === true)
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    live: process.stderr.isTTY === true && !verbose && !json,
    quiet: quiet ?? false,
    columns: process.stderr.columns ?? 80,
    paint: { good: colors.green, bad: colors.red, faint: colors.dim, strong: colors.bold },
  }
}

function stateFolder(): string {
  const { EDGEPUSH_STATE, XDG_STATE_HOME } = process.env
  return EDGEPUSH_STATE || join(XDG_STATE_HOME || join(homedir(), '.local/state'), 'edgepush')
}

/** The first signal asks for an orderly end: nodes in flight come to their outcome. The second ends at once. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const [signal, code] of [
    ['SIGINT', EXIT.interrupted],
    ['SIGTERM', EXIT.terminated],
  ] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(code)
      process.stderr.write(`\n${signal}: nodes in flight are finished, no other is begun; once more ends at once\n`)
      controller.abort(code)
      interrupted = code
    })
  }
  return controller.signal
}

function explain(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof Refusal) {
    process.stderr.write(`edgepush: ${error.message}\n${error.next ? `  ${error.next}\n` : ''}`)
    return error.exitCode
  }
  process.stderr.write(`edgepush: this is a bug, please report it\n${error instanceof Error ? error.stack : error}\n`)
  return EXIT.bug
}

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(exit)
})
try {
  await program.parseAsync()
} catch (error) {
  exit = explain(error)
}
// That somebody must look at a node is worth more than that somebody pressed a key.
process.exitCode = interrupted !== undefined && exit !== EXIT.unknown ? interrupted : exit
