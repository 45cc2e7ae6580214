#!/usr/bin/env node
/** argv to command to exit code; the only file that knows the process and its streams. */

import { homedir, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Command, CommanderError } from 'commander'
import picocolors from 'picocolors'
import type { Context } from './commands/context.ts'
import { aboutNodes, described } from './commands/described.ts'
import { complete, type Flags } from './commands/flags.ts'
import { LOCK_VERBS, RETRY, SETTLING_VERBS, TRUST_VERBS, VERBS, type Verb } from './commands/verbs.ts'
import { packageVersion } from './config/package.ts'
import { PLAYBOOK_PLACES } from './config/playbook-places.ts'
import { EXIT, type ExitCode, Refusal } from './error.ts'
import type { Transport } from './node/transport.ts'
import { liveBlock } from './report/live-block.ts'
import { logger } from './report/log.ts'
import type { Terminal } from './report/terminal.ts'
import type { Word } from './run/settle.ts'

type Run = (
  playbook: string | undefined,
  flags: ReturnType<typeof complete>,
  context: Context,
) => ExitCode | Promise<ExitCode>

/** Only where lines can be taken back, and where whoever wants no colours wants no drawing either. */
const isWatched = process.stderr.isTTY === true && process.env.TERM !== 'dumb' && !process.env.NO_COLOR
const block = isWatched ? liveBlock(process.stderr) : undefined
process.on('exit', () => block?.end())

let exit: ExitCode = EXIT.ok
let interrupted: ExitCode | undefined

const program = new Command('edgepush')
  .description('Pushes the network of a Eucalyptus-style cloud to its nodes, over SSH.')
  .version(packageVersion(), '--version', 'print the version')
  .helpOption('-h, --help', 'print this help')
  .showHelpAfterError('(--help says more)')
  .exitOverride()

verb('push', async (...run) => (await import('./commands/push.ts')).push(...run))
aboutNodes(program.command('retry').argument('[run]', 'the run, as it called itself'), RETRY).action(
  async (run: string | undefined, playbook: string | undefined, flags: Flags) => {
    const { retry } = await import('./commands/retry.ts')
    exit = await retry([run ?? [], playbook ?? []].flat(), complete(flags), contextFor(flags))
  },
)
verb('render', async (...run) => (await import('./commands/render.ts')).render(...run))
verb('status', async (...run) => (await import('./commands/status.ts')).status(...run))
verb('drift', async (...run) => (await import('./commands/drift.ts')).drift(...run))
verb('nodes', async (...run) => (await import('./commands/nodes.ts')).nodes(...run))
verb('doctor', async (...run) => (await import('./commands/doctor.ts')).doctor(...run))

const trust = program
  .command('trust')
  .description('Host keys: see what the nodes offer, and decide which of them to trust.')
  .summary('see and trust the host keys of nodes')
  .addHelpText('after', '\nExample:\n  edgepush trust scan -i inventories/lab.yml')
verbOf(trust, 'scan', TRUST_VERBS.scan, async (...run) => (await import('./commands/trust-scan.ts')).trustScan(...run))
verbOf(trust, 'add', TRUST_VERBS.add, async (...run) => (await import('./commands/trust-add.ts')).trustAdd(...run))
verbOf(trust, 'list', TRUST_VERBS.list, async (...run) => (await import('./commands/trust-list.ts')).trustList(...run))

const lock = program
  .command('lock')
  .description('Which run has which nodes of its own, on this controller.')
  .summary('see which run has which nodes, and take them from one')
  .addHelpText('after', '\nExample:\n  edgepush lock status')
described(lock.command('status'), LOCK_VERBS.status).action(async (flags: Flags) => {
  exit = (await import('./commands/lock.ts')).lockStatus(complete(flags), contextFor(flags))
})
described(lock.command('release').argument('<run>', 'the run'), LOCK_VERBS.release).action(
  async (run: string, flags: Flags) => {
    exit = await (await import('./commands/lock.ts')).lockRelease(run, complete(flags), contextFor(flags))
  },
)

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

verb('adopt', async (...run) => (await import('./commands/adopt.ts')).adopt(...run))
verb('release', async (...run) => (await import('./commands/release.ts')).release(...run))
verb('flush', async (...run) => (await import('./commands/flush.ts')).flush(...run))
verb('meter', async (...run) => (await import('./commands/meter.ts')).meter(...run))

settling('confirm', () => ({ verb: 'confirm' }))
settling('abort', () => ({ verb: 'abort' }))
settling('extend', ({ by = 0 }) => ({ verb: 'extend', by }))

function verb(name: keyof typeof VERBS, run: Run): void {
  verbOf(program, name, VERBS[name], run)
}

function verbOf(parent: Command, name: string, about: Verb, run: Run): void {
  aboutNodes(parent.command(name), about).action(async (playbook: string | undefined, flags: Flags) => {
    exit = await run(playbook, complete(flags), contextFor(flags))
  })
}

function settling(name: keyof typeof SETTLING_VERBS, wordOf: (flags: Flags) => Word): void {
  const command = program.command(name).argument('<run>', 'the run, as it called itself')
  aboutNodes(command, SETTLING_VERBS[name]).action(async (run: string, playbook: string | undefined, flags: Flags) => {
    const { settle } = await import('./commands/settle.ts')
    exit = await settle(run, wordOf(flags), playbook, complete(flags), contextFor(flags))
  })
}

function contextFor(flags: Flags): Context {
  const signal = interruption()
  return {
    terminal: terminalFor(flags),
    transport: ssh,
    pid: process.pid,
    ownAddresses: ownAddresses(),
    stateFolder: stateFolder(),
    playbookPlaces: PLAYBOOK_PLACES,
    version: packageVersion(),
    signal,
    ask: terminalAsk(signal),
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

function say(text: string): void {
  block?.lift()
  process.stderr.write(text)
}

function terminalFor({ quiet, verbose, json, color }: Flags): Terminal {
  const colors = picocolors.createColors(color && picocolors.isColorSupported && process.stdout.isTTY === true)
  return {
    out(text) {
      block?.lift()
      process.stdout.write(text)
    },
    err: say,
    live: color && !quiet && !verbose && !json ? block : undefined,
    quiet: quiet ?? false,
    paint: { good: colors.green, bad: colors.red, faint: colors.dim, strong: colors.bold },
  }
}

/** Only where somebody sits at both ends; who presses ^C has not said yes. */
function terminalAsk(signal: AbortSignal): Context['ask'] {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return undefined
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
    try {
      return /^y(?:es)?$/i.test((await lines.question(`${question} [y/N] `, { signal })).trim())
    } catch {
      return false
    } finally {
      lines.close()
    }
  }
}

/** A host that is a node, too, holds the elastic addresses of its instances, each as a /32. */
function ownAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return all.flatMap(({ internal, address, cidr }) => (internal || cidr?.endsWith('/32') ? [] : [address]))
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
      say(`\n${signal}: nodes in flight are finished, no other is begun; once more ends at once\n`)
      controller.abort(code)
      interrupted = code
    })
  }
  return controller.signal
}

function explain(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof Refusal) {
    say(`edgepush: ${error.message}\n${error.next ? `  ${error.next}\n` : ''}`)
    return error.exitCode
  }
  say(`edgepush: this is a bug, please report it\n${error instanceof Error ? error.stack : error}\n`)
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
