// A host of the lab: a process that holds its own network, mount, UTS and PID namespace.
//
// Invariant: the only thing that keeps a host alive is the pipe from this process to the host's PID 1. When this
// process ends, however it ends, PID 1 reads the end of file and exits, and the kernel kills everything else in its
// PID namespace; interfaces and mounts go with their namespaces. So nothing started in a host may hold that pipe.
//
// PID 1 is bash because bash reaps orphans; under an init that does not, a daemon that was killed would stay a zombie.
// --norc, for Node's pipes are sockets, and a bash whose stdin is a socket believes in rshd and reads ~/.bashrc.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { type Commands, commandsIn } from './commands-in.ts'
import { hostEnv, type Machinery, thisMachine } from './machinery.ts'

export interface Host extends Commands {
  readonly name: string
  /** PID 1 of the host, as its machine sees it: for /proc/PID/ns and nsenter. */
  readonly pid: number
  readonly machinery: Machinery
  readonly setUp: (script: string) => Promise<void>
  readonly stop: () => Promise<void>
}

export interface HostOptions {
  readonly env?: Readonly<Record<string, string>>
  /** A directory that PID 1 removes as its last act, so that it goes even when this process is killed. */
  readonly removeAtEnd?: string
  /** This machine if absent. */
  readonly machinery?: Machinery
}

// /proc is this machine's until it is mounted anew: the only moment in which PID 1 can learn its number outside.
const holder = `
read -r pid _ < /proc/self/stat
mount -t proc proc /proc || exit 1
echo "$pid"
if read -r script; then
  if bash -eu "$script" </dev/null >"$script.log" 2>&1; then echo ready; else echo failed; fi
fi
exec >/dev/null 2>&1
while read -r _; do :; done
[ -z "$1" ] || rm -rf -- "$1"
`

const stopWithin = 5_000

export async function openHost(name: string, options: HostOptions = {}): Promise<Host> {
  const machinery = options.machinery ?? thisMachine
  const unshare = ['unshare', '--net', '--mount', '--uts', '--pid', '--fork', '--kill-child']
  const bash = ['bash', '--norc', '-c', holder, name, options.removeAtEnd ?? '']
  const [command = '', ...args] = machinery.argv([...unshare, ...bash], hostEnv)
  const child = spawn(command, args, {
    detached: true,
    env: hostEnv,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {})
  const ended = once(child, 'exit')
  const complaints = text(child.stderr)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const pid = Number((await lines.next()).value)
  if (!(pid > 0)) throw new Error(`lab host ${name} did not start: ${await complaints}`)

  async function setUp(script: string): Promise<void> {
    child.stdin.write(`${script}\n`)
    const answer = await lines.next()
    if (answer.value === 'ready') return
    throw new Error(`lab host ${name} could not be set up:\n${await readFile(`${script}.log`, 'utf8')}`)
  }

  async function stop(): Promise<void> {
    child.stdin.end()
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithin)
    await ended
    clearTimeout(timer)
  }

  return { name, pid, machinery, setUp, stop, ...commandsIn(name, pid, options.env ?? {}, machinery) }
}
