// A double of thousands of nodes, for bench/many.ts: one process that speaks SSH at every address of this host's loopback
// and answers what a push asks as a node would that has everything. Behind it is no node: nothing is loaded, read back or
// rehearsed, and no shell is ever started. What it shows is what a fleet costs the controller.
//
// Its argument is the file of a host key. It prints its port, and at each line that it reads what it has counted since the
// one before.

import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import ssh2, { type ServerChannel } from 'ssh2'

/** One for each address: what a node remembers, and its sshd. */
interface Node {
  readonly server: ssh2.Server
  current: string | undefined
  version: string
  /** Beginnings of digests of files. */
  readonly stored: Set<string>
}

/** Of all connections; a turn is something heard after something was said. */
const counted = { connections: 0, questions: 0, turns: 0, received: 0, sent: 0 }
const nodes = new Map<string, Node>()
const [, , hostKey = ''] = process.argv
const hostKeys = [readFileSync(hostKey)]

function nodeAt(address: string): Node {
  const there = nodes.get(address)
  if (there) return there
  const node: Node = {
    current: undefined,
    version: '',
    stored: new Set(),
    server: new ssh2.Server({ hostKeys }, (client) => {
      client.on('authentication', (context) => context.accept())
      client.on('session', (accept) => accept().on('exec', (acceptExec) => answer(acceptExec(), node)))
      client.on('error', () => undefined)
    }),
  }
  nodes.set(address, node)
  return node
}

/** One question: its size, the script, and where a push says it, a word in the middle. */
function answer(channel: ServerChannel, node: Node): void {
  counted.questions += 1
  let heard = ''
  let script: string | undefined
  let begun = 0
  channel.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1')
    if (script === undefined) {
      begun = heard.indexOf('\n') + 1
      const size = Number(heard.slice(0, begun))
      if (begun === 0 || heard.length < begun + size) return
      script = heard.slice(begun, begun + size)
      begun += size
      hear(script)
    }
    if (heard.slice(begun).includes('go\n')) activate(script)
  })

  function hear(text: string): void {
    channel.write(`\n${markOf(text)} begin\n`)
    if (text.includes('# What this node is and what it holds')) end(text, probed(node))
    else if (/ commit /.test(text.slice(-500))) channel.write(`ready ${seconds()}\n`)
    else end(text, settled(node, text))
  }

  function activate(text: string): void {
    node.current = /gen\/([0-9a-f]{64})/.exec(text)?.[1]
    node.version = / ([0-9a-f]{8}) <&4/.exec(text)?.[1] ?? ''
    for (const [, digest = ''] of text.matchAll(/^ {4}"[^"]+": "([0-9a-f]{16})/gm)) node.stored.add(digest)
    end(text, `activated ${seconds()}\n`)
  }

  function end(text: string, body: string): void {
    channel.write(`${body}\n${markOf(text)} end 0\n`)
    channel.exit(0)
    channel.end()
  }
}

function markOf(script: string): string {
  return /edgepush-[0-9a-f]{16}/.exec(script)?.[0] ?? ''
}

function probed({ current, version, stored }: Node): string {
  return [
    `clock ${seconds()}`,
    'boot 00000000-0000-4000-8000-000000000000',
    'link br0 02:00:00:00:00:52',
    'address br0 10.120.0.1/16',
    'epoch 0',
    `stored ${[...stored].join(' ')}`,
    ...(current === undefined ? [] : [`entries 50\ncurrent ${current}\nheld yes\nview ${version}`]),
    '',
  ].join('\n')
}

/** Confirmed, or told which view it serves. */
function settled(node: Node, script: string): string {
  node.version = / serves ([0-9a-f]+)/.exec(script)?.[1] ?? node.version
  return / confirm /.test(script) ? 'changed iptables 1 1 1\n' : ''
}

function seconds(): string {
  return (Date.now() / 1_000).toFixed(9)
}

const listening = createServer((socket) => {
  counted.connections += 1
  nodeAt(socket.localAddress ?? '').server.injectSocket(socket)
  let said = 0
  socket.on('data', (chunk) => {
    counted.received += chunk.length
    counted.sent += socket.bytesWritten - said
    if (socket.bytesWritten > said) counted.turns += 1
    said = socket.bytesWritten
  })
})
listening.listen(0, '0.0.0.0', () => process.stdout.write(`${(listening.address() as AddressInfo).port}\n`))
createInterface({ input: process.stdin })
  .on('line', () => {
    process.stdout.write(`${JSON.stringify(counted)}\n`)
    for (const name of Object.keys(counted) as (keyof typeof counted)[]) counted[name] = 0
  })
  .on('close', () => process.exit(0))
