/** A node that is a shell of this machine: the same command and the same stdin as over SSH, without the network. */

import { spawn } from 'node:child_process'
import { answering } from '../../src/node/answering.ts'
import { type Connection, ConnectionLost, type Reply, type Talk } from '../../src/node/transport.ts'

export interface Habits {
  /** What runs as the login shell; `exec "$@"` in it is the command that was asked for. */
  readonly login?: string
  /** Stands for /bin/sh. */
  readonly shell?: string
  /** What becomes of the input on its way. */
  readonly input?: (input: string) => string
  /** What becomes of the reply on its way. */
  readonly output?: (stdout: string) => string
}

export function shellConnection(habits: Habits): Connection {
  const { login = 'exec "$@"', shell = '/bin/sh', input: change = (text) => text, output = (text) => text } = habits
  return {
    async run(command, input, timeout, talk) {
      const asked = ['/bin/sh', '-c', `exec ${command.replace(/\/bin\/sh\b/, calledSh(shell))}`]
      const reply = await execute(['/bin/sh', '-c', login, 'login', ...asked], change(input), { timeout, talk })
      return { ...reply, stdout: output(reply.stdout) }
    },
    whyLost: () => undefined,
    close: () => undefined,
  }
}

/** A bash that is not called sh reads ~/.bashrc when its input is a socket, and Node's pipes are sockets. */
function calledSh(shell: string): string {
  return shell.replace(/^bash\b/, 'bash --norc')
}

interface Talking {
  readonly timeout: number
  readonly talk: Talk | undefined
}

function execute(
  [command = '', ...args]: readonly string[],
  input: string,
  { timeout, talk }: Talking,
): Promise<Reply> {
  const child = spawn(command, args)
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
    })
  }
  // A shell that ends before it has read everything closes the pipe.
  child.stdin.on('error', () => undefined)
  child.stdin.write(input)
  return new Promise((resolve, reject) => {
    const onTimeout = () => reject(new ConnectionLost(`no answer within ${timeout / 1_000} s`))
    const dialogue = answering({ stdin: child.stdin, timeout, onTimeout, talk })
    child.stdout.on('data', dialogue.hear)
    child.on('error', reject)
    child.on('close', (code) => {
      dialogue.end()
      resolve({ code: code ?? -1, ...output })
    })
  })
}
