/** The commands and their arguments. What a command does is loaded when it is called: most of what starting costs. */

import { Argument, Command } from 'commander'
import { PLAYBOOK_PLACES } from '../config/playbook-places.ts'
import type { ExitCode } from '../error.ts'
import type { Word } from '../run/settle.ts'
import type { Context } from './context.ts'
import { aboutNodes, described } from './described.ts'
import { complete, type Flags } from './flags.ts'
import { LOCK_VERBS, RETRY, SETTLING_VERBS, SHOW_VERB, TRUST_VERBS, UNITS_VERB, VERBS, type Verb } from './verbs.ts'

/** Does a command's work in the context that its flags ask for. */
type Perform = (flags: Flags, work: (context: Context) => ExitCode | Promise<ExitCode>) => Promise<void>

type Run = (
  playbook: string | undefined,
  flags: ReturnType<typeof complete>,
  context: Context,
) => ExitCode | Promise<ExitCode>

export function programFor(version: string, perform: Perform): Command {
  const program = new Command('edgepush')
    .description('Pushes the network of a Eucalyptus-style cloud to its nodes, over SSH.')
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showHelpAfterError('(--help says more)')
    .exitOverride()

  const verb = (name: keyof typeof VERBS, run: Run) => addVerb(program, name, VERBS[name], run, perform)
  const settling = (name: keyof typeof SETTLING_VERBS, wordOf: (flags: Flags) => Word) =>
    addSettling(program, name, wordOf, perform)

  verb('push', async (...run) => (await import('./push.ts')).push(...run))
  addRetry(program, perform)
  verb('watch', async (...run) => (await import('./watch.ts')).watch(...run))
  addUnits(program, perform)
  verb('render', async (...run) => (await import('./render.ts')).render(...run))
  verb('status', async (...run) => (await import('./status.ts')).status(...run))
  verb('drift', async (...run) => (await import('./drift.ts')).drift(...run))
  verb('nodes', async (...run) => (await import('./nodes.ts')).nodes(...run))
  verb('doctor', async (...run) => (await import('./doctor.ts')).doctor(...run))
  addTrust(program, perform)
  addLock(program, perform)
  addShow(program, perform)
  addCheckConfig(program, perform)
  verb('adopt', async (...run) => (await import('./adopt.ts')).adopt(...run))
  verb('release', async (...run) => (await import('./release.ts')).release(...run))
  verb('flush', async (...run) => (await import('./flush.ts')).flush(...run))
  verb('meter', async (...run) => (await import('./meter.ts')).meter(...run))
  settling('confirm', () => ({ verb: 'confirm' }))
  settling('abort', () => ({ verb: 'abort' }))
  settling('extend', ({ by = 0 }) => ({ verb: 'extend', by }))
  return program
}

function addVerb(parent: Command, name: string, about: Verb, run: Run, perform: Perform): void {
  aboutNodes(parent.command(name), about).action(async (playbook: string | undefined, flags: Flags) => {
    await perform(flags, (context) => run(playbook, complete(flags), context))
  })
}

function addRetry(program: Command, perform: Perform): void {
  const command = program.command('retry').argument('[run]', 'the run, as it called itself')
  aboutNodes(command, RETRY).action(async (run: string | undefined, playbook: string | undefined, flags: Flags) => {
    const { retry } = await import('./retry.ts')
    await perform(flags, (context) => retry([run ?? [], playbook ?? []].flat(), complete(flags), context))
  })
}

function addUnits(program: Command, perform: Perform): void {
  const command = program
    .command('units')
    .addArgument(new Argument('<kind>', 'a service that watches, or a push by a timer').choices(['watch', 'timer']))
    .argument('[playbook]', `how a run goes (default: ${PLAYBOOK_PLACES.join(' or ')})`)
  described(command, UNITS_VERB).action(async (kind: 'watch' | 'timer', playbook: string | undefined, flags: Flags) => {
    const { units } = await import('./units.ts')
    await perform(flags, (context) => units(kind, playbook, complete(flags), context))
  })
}

function addTrust(program: Command, perform: Perform): void {
  const trust = program
    .command('trust')
    .description('Host keys: see what the nodes offer, and decide which of them to trust.')
    .summary('see and trust the host keys of nodes')
    .addHelpText('after', '\nExample:\n  edgepush trust scan -i inventories/lab.yml')
  const verb = (name: keyof typeof TRUST_VERBS, run: Run) => addVerb(trust, name, TRUST_VERBS[name], run, perform)
  verb('scan', async (...run) => (await import('./trust-scan.ts')).trustScan(...run))
  verb('add', async (...run) => (await import('./trust-add.ts')).trustAdd(...run))
  verb('list', async (...run) => (await import('./trust-list.ts')).trustList(...run))
}

function addLock(program: Command, perform: Perform): void {
  const lock = program
    .command('lock')
    .description('Which run has which nodes of its own, on this controller.')
    .summary('see which run has which nodes, and take them from one')
    .addHelpText('after', '\nExample:\n  edgepush lock status')
  described(lock.command('status'), LOCK_VERBS.status).action(async (flags: Flags) => {
    const { lockStatus } = await import('./lock.ts')
    await perform(flags, (context) => lockStatus(complete(flags), context))
  })
  const release = lock.command('release').argument('<run>', 'the run')
  described(release, LOCK_VERBS.release).action(async (run: string, flags: Flags) => {
    const { lockRelease } = await import('./lock.ts')
    await perform(flags, (context) => lockRelease(run, complete(flags), context))
  })
}

function addShow(program: Command, perform: Perform): void {
  described(program.command('show'), SHOW_VERB).action(async (flags: Flags) => {
    const { show } = await import('./show.ts')
    await perform(flags, (context) => show(complete(flags), context))
  })
}

function addCheckConfig(program: Command, perform: Perform): void {
  program
    .command('check-config')
    .description('Check a network configuration document of a cloud, JSON or YAML, and tell what it means.')
    .summary('check a network configuration document of a cloud')
    .argument('<file>', 'the document, as the cloud property cloud.network.network_configuration holds it')
    .option('--json', 'NDJSON on standard output, for programs')
    .addHelpText('after', '\nExample:\n  edgepush check-config network.yaml')
    .action(async (file: string, { json = false }: { readonly json?: boolean }) => {
      const { checkConfig } = await import('./check-config.ts')
      await perform({ json, color: false }, ({ terminal, version }) => checkConfig(file, { json }, terminal, version))
    })
}

function addSettling(
  program: Command,
  name: keyof typeof SETTLING_VERBS,
  wordOf: (flags: Flags) => Word,
  perform: Perform,
): void {
  const command = program.command(name).argument('<run>', 'the run, as it called itself')
  aboutNodes(command, SETTLING_VERBS[name]).action(async (run: string, playbook: string | undefined, flags: Flags) => {
    const { settle } = await import('./settle.ts')
    await perform(flags, (context) => settle(run, wordOf(flags), playbook, complete(flags), context))
  })
}
