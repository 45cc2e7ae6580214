// Commands in a host that is running: nsenter into its namespaces, a clean environment, a bounded time.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { hostEnv, type Machinery, thisMachine } from './machinery.ts'

export interface Finished {
  /** Exit status, or 128 + signal as a shell would say it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface ExecOptions {
  readonly stdin?: string
  /** Milliseconds until the command is killed and the call fails; if not given, what its machinery allows. */
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

const late: Finished = { code: 128, stdout: '', stderr: 'no end\n' }

export function commandsIn(
  name: string,
  pid: number,
  env: Readonly<Record<string, string>>,
  machinery: Machinery = thisMachine,
): Commands {
  const target = ['--target', String(pid), '--net', '--uts', '--pid']
  const kill = (child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL') => machinery.kill(child, signal)

  function nsenter(args: readonly string[], own: NodeJS.ProcessEnv): readonly [command: string, args: string[]] {
    const [command = '', ...rest] = machinery.argv(['nsenter', ...args], own)
    return [command, rest]
  }

  function spawnIn(command: Command, options: ExecOptions = {}): ChildProcess {
    const argv = typeof command === 'string' ? ['sh', '-c', command] : command
    const enter = ['sh', '-c', 'cd "$0" && exec "$@"', options.cwd ?? '/', ...argv]
    const output = options.show ? 'inherit' : 'pipe'
    const own = { ...hostEnv, ...env, ...options.env }
    return spawn(...nsenter([...target, '--mount', '--', ...enter], own), {
      detached: true,
      env: own,
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', output, output],
    })
  }

  async function exec(command: Command, options: ExecOptions = {}): Promise<Finished> {
    const within = options.timeout ?? machinery.commandTimeout
    const finished = await collect(spawnIn(command, options), kill, options.stdin, within)
    if (finished) return finished
    throw new Error(`${name}: no end within ${within} ms: ${asText(command)}`)
  }

  async function run(command: Command, options: ExecOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await exec(command, options)
    if (code === 0) return stdout
    throw new Error(`${name}: exit status ${code}: ${asText(command)}\n${stderr}${stdout}`)
  }

  function spawnWithOurFiles(argv: readonly string[]): ChildProcess {
    const started = nsenter([...target, '--', ...argv], hostEnv)
    return spawn(...started, { detached: true, env: hostEnv, stdio: ['pipe', 'pipe', 'pipe'] })
  }

  async function plug(batch: string): Promise<void> {
    const ip = nsenter(['--target', String(pid), '--net', '--', 'ip', '-batch', '-'], hostEnv)
    const { code, stderr } =
      (await collect(spawn(...ip, { detached: true }), kill, batch, machinery.commandTimeout)) ?? late
    if (code !== 0) throw new Error(`${name}: ${stderr}in:\n${batch}`)
  }

  return { run, exec, spawn: spawnIn, kill, spawnWithOurFiles, plug }
}

async function collect(
  child: ChildProcess,
  kill: (child: ChildProcess) => void,
  stdin: string | undefined,
  within: number,
): Promise<Finished | undefined> {
  let tooLate = false
  const timer = setTimeout(() => {
    tooLate = true
    kill(child)
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

async function textOf(stream: Readable | null): Promise<string> {
  return stream ? await text(stream) : ''
}

function asText(command: Command): string {
  return typeof command === 'string' ? command : command.join(' ')
}
