// Commands in a host that is running: nsenter into its namespaces, a clean environment, a bounded time.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'

export interface Finished {
  /** Exit status, or 128 + signal as a shell would say it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface ExecOptions {
  readonly stdin?: string
  /** Milliseconds until the command is killed and the call fails; 30 000 if not given. */
  readonly timeout?: number
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** The command's output goes to this process's own stdout and stderr and is not collected. */
  readonly show?: boolean
}

/** A text is run by `sh -c`, a list as it is. */
type Command = string | readonly string[]

export interface Commands {
  /** What the command printed; fails if its exit status is not 0. */
  readonly run: (command: Command, options?: ExecOptions) => Promise<string>
  /** The same, but any exit status is an answer. */
  readonly exec: (command: Command, options?: ExecOptions) => Promise<Finished>
  /** The bare process, to be ended by kill. */
  readonly spawn: (command: Command, options?: ExecOptions) => ChildProcess
  /** Sends a signal, SIGKILL if not given, to the command and what it started; not to what left its process group. */
  readonly kill: (child: ChildProcess, signal?: NodeJS.Signals) => void
  /** An executable of this machine, in the host's network but with this machine's files. */
  readonly spawnWithOurFiles: (argv: readonly string[]) => ChildProcess
  /** Lines of `ip -batch` in the host's network, where `netns PID` means a process as this one sees it. */
  readonly plug: (batch: string) => Promise<void>
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
export const hostEnv = { PATH: path, HOME: '/root', LANG: 'C' }

const commandTimeout = 30_000
const late: Finished = { code: 128, stdout: '', stderr: 'no end\n' }

export function commandsIn(name: string, pid: number, env: Readonly<Record<string, string>>): Commands {
  const target = ['--target', String(pid), '--net', '--uts', '--pid']

  function spawnIn(command: Command, options: ExecOptions = {}): ChildProcess {
    const argv = typeof command === 'string' ? ['sh', '-c', command] : command
    const enter = ['sh', '-c', 'cd "$0" && exec "$@"', options.cwd ?? '/', ...argv]
    const output = options.show ? 'inherit' : 'pipe'
    return spawn('nsenter', [...target, '--mount', '--', ...enter], {
      detached: true,
      env: { ...hostEnv, ...env, ...options.env },
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', output, output],
    })
  }

  async function exec(command: Command, options: ExecOptions = {}): Promise<Finished> {
    const within = options.timeout ?? commandTimeout
    const finished = await collect(spawnIn(command, options), options.stdin, within)
    if (finished) return finished
    throw new Error(`${name}: no end within ${within} ms: ${asText(command)}`)
  }

  async function run(command: Command, options: ExecOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await exec(command, options)
    if (code === 0) return stdout
    throw new Error(`${name}: exit status ${code}: ${asText(command)}\n${stderr}${stdout}`)
  }

  function spawnWithOurFiles(argv: readonly string[]): ChildProcess {
    return spawn('nsenter', [...target, '--', ...argv], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  }

  async function plug(batch: string): Promise<void> {
    const argv = ['--target', String(pid), '--net', '--', 'ip', '-batch', '-']
    const { code, stderr } = (await collect(spawn('nsenter', argv, { detached: true }), batch, commandTimeout)) ?? late
    if (code !== 0) throw new Error(`${name}: ${stderr}in:\n${batch}`)
  }

  return { run, exec, spawn: spawnIn, kill: killCommand, spawnWithOurFiles, plug }
}

async function collect(child: ChildProcess, stdin: string | undefined, within: number): Promise<Finished | undefined> {
  let tooLate = false
  const timer = setTimeout(() => {
    tooLate = true
    killCommand(child)
  }, within)
  child.stdin?.on('error', () => {})
  child.stdin?.end(stdin)

  const [stdout, stderr, closed] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ])
  clearTimeout(timer)
  const [code, signal] = closed
  return tooLate ? undefined : { code: code ?? 128 + (signal ? constants.signals[signal] : 0), stdout, stderr }
}

// All of the command's process group but its first, nsenter, which has to live until it has reaped the command: the
// kernel does not let go of a PID namespace while an unreaped process of it is left.
function killCommand(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  for (const pid of readdirSync('/proc').map(Number)) {
    if (pid > 0 && pid !== child.pid && groupOf(pid) === child.pid) quietly(() => process.kill(pid, signal))
  }
}

function groupOf(pid: number): number | undefined {
  const stat = quietly(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
}

/** For processes that may end in this very moment. */
function quietly<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

async function textOf(stream: Readable | null): Promise<string> {
  return stream ? await text(stream) : ''
}

function asText(command: Command): string {
  return typeof command === 'string' ? command : command.join(' ')
}
