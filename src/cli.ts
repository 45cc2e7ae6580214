#!/usr/bin/env node
/** argv to command to exit code; the only file that knows the process and its streams. */

import { execFile } from 'node:child_process'
import { homedir, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { CommanderError } from 'commander'
import picocolors from 'picocolors'
import type { Context } from './commands/context.ts'
import type { Flags } from './commands/flags.ts'
import { programFor } from './commands/program.ts'
import { packageVersion } from './config/package.ts'
import { PLAYBOOK_PLACES } from './config/playbook-places.ts'
import { EXIT, type ExitCode, Refusal } from './error.ts'
import type { Passphrases } from './node/private-key.ts'
import type { SshTransport } from './node/ssh.ts'
import { askSecret } from './report/ask-secret.ts'
import { liveBlock, type Pane } from './report/live-block.ts'
import { logger } from './report/log.ts'
import type { Terminal } from './report/terminal.ts'

/** Only where lines can be taken back, and where whoever wants no colours wants no drawing either. */
const isWatched = process.stderr.isTTY === true && process.env.TERM !== 'dumb' && !process.env.NO_COLOR
const block = isWatched ? liveBlock(screen()) : undefined
process.on('exit', () => block?.end())

/** What ends or stops a process at once does so to us, but without leaving a half of the screen to whoever types next. */
const AT_ONCE = ['SIGHUP', 'SIGQUIT', 'SIGTSTP'] as const
if (block) {
  for (const signal of AT_ONCE) process.on(signal, giveWay)
  process.on('SIGCONT', () => process.off('SIGTSTP', giveWay).on('SIGTSTP', giveWay))
}

function giveWay(signal: NodeJS.Signals): void {
  block?.lift()
  process.off(signal, giveWay)
  process.kill(process.pid, signal)
}

let exit: ExitCode = EXIT.ok
let interrupted: ExitCode | undefined
let loaded: Promise<SshTransport> | undefined
let askPassphrase: Passphrases['ask']
/** What is not shown yet, because somebody is being asked something. */
let withheld: string[] | undefined

const program = programFor(packageVersion(), async (flags, work) => {
  exit = await work(contextFor(flags))
})

function contextFor(flags: Flags): Context {
  const signal = interruption()
  askPassphrase = terminalSecret(signal)
  return {
    terminal: terminalFor(flags),
    transport: ssh,
    hosts: ssh,
    pid: process.pid,
    ownAddresses: ownAddresses(),
    stateFolder: stateFolder(),
    playbookPlaces: PLAYBOOK_PLACES,
    version: packageVersion(),
    program: [process.execPath, process.argv[1] ?? ''],
    signal,
    onHangup: (listener) => process.off('SIGHUP', giveWay).on('SIGHUP', listener),
    notify,
    ask: terminalAsk(signal),
    clock: () => new Date(),
    log: logger(flags.verbose ?? false),
  }
}

/** Loaded with the first connection: most of what starting costs, and half of the commands make none. */
const ssh: SshTransport = {
  connect: async (target) => await (await loadedSsh()).connect(target),
  complete: async (target) => await (await loadedSsh()).complete(target),
  wayTo: async (target) => await (await loadedSsh()).wayTo(target),
  hostKeys: async (target) => await (await loadedSsh()).hostKeys(target),
  close: () => void loaded?.then((transport) => transport.close()),
}

function loadedSsh(): Promise<SshTransport> {
  const { SSH_AUTH_SOCK: agent, EDGEPUSH_PASSPHRASE_FILE: file } = process.env
  const passphrases = { file, ask: askPassphrase }
  loaded ??= import('./node/ssh.ts').then(({ sshTransport }) => sshTransport({ agent, passphrases }))
  return loaded
}

function say(text: string): void {
  block?.lift()
  show(text)
}

function show(text: string): void {
  if (withheld) withheld.push(text)
  else process.stderr.write(text)
}

function screen(): Pane {
  return {
    write: show,
    get columns() {
      return process.stderr.columns
    },
    get rows() {
      return process.stderr.rows
    },
  }
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

/** Only where somebody sits at both ends. */
function terminalSecret(signal: AbortSignal): Passphrases['ask'] {
  const { stdin, stderr } = process
  if (stdin.isTTY !== true || stderr.isTTY !== true) return undefined
  return async (question) => {
    block?.lift()
    withheld = []
    try {
      return await askSecret(question, stdin, stderr, signal, () => process.kill(process.pid, 'SIGINT'))
    } finally {
      stderr.write(withheld.join(''))
      withheld = undefined
    }
  }
}

/** Node has no datagram sockets of this kind: systemd's own program has. Whether it is there is for the service manager. */
function notify(word: string): void {
  const { NOTIFY_SOCKET, WATCHDOG_USEC } = process.env
  if (!NOTIFY_SOCKET) return
  const say = (text: string) => execFile('systemd-notify', [text], () => undefined)
  say(word)
  if (WATCHDOG_USEC && word === 'READY=1') setInterval(() => say('WATCHDOG=1'), Number(WATCHDOG_USEC) / 3_000).unref()
}

function ownAddresses(): Context['ownAddresses'] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const reachable = all.filter(({ address }) => !address.startsWith('127.'))
  // Nobody puts the address of an instance on the loopback.
  return reachable.map(({ address, cidr, internal }) => ({
    address,
    isLone: !internal && cidr?.endsWith('/32') === true,
  }))
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
ssh.close()
// That somebody must look at a node is worth more than that somebody pressed a key.
process.exitCode = interrupted !== undefined && exit !== EXIT.unknown ? interrupted : exit
