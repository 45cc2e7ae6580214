// One agent process in a host: it answers on the ports it is given and sends the packets it is told to.

import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Host } from './open-host.ts'

export interface Reach {
  readonly reached: boolean
  /** The source address the answering side saw. */
  readonly source?: string
  /** The name of the host that answered. */
  readonly by?: string
  /** Why not: nothing came back, a RST or ICMP port unreachable, no route, cut off, not one of the lab's listeners. */
  readonly why?: 'timeout' | 'refused' | 'unreachable' | 'reset' | 'stranger' | 'no-such-source'
  /** Packets of a stream, sent or received. */
  readonly count?: number
}

interface Request {
  readonly action: 'tcp' | 'udp' | 'hold' | 'again' | 'release' | 'sink' | 'flood' | 'halt' | 'count'
  readonly to?: string
  readonly port?: number
  readonly from?: string | undefined
  readonly timeout?: number
  readonly handle?: number
  /** Packets a second. */
  readonly rate?: number
  /** What the packets of a stream say. */
  readonly stream?: string
}

export interface Agent {
  readonly ask: (request: Request) => Promise<Reach & { readonly id: number }>
}

export async function startAgent(host: Host, ports: readonly number[]): Promise<Agent> {
  const child = host.spawnWithOurFiles([process.execPath, agentFile(), host.name, ...ports.map(String)])
  const waiting = new Map<number, { resolve: (answer: Reach & { id: number }) => void; reject: (e: Error) => void }>()
  let complaints = ''
  let requests = 0
  child.stderr?.on('data', (data) => {
    complaints += data
  })
  child.stdin?.on('error', () => {})
  once(child, 'exit').then(
    () => giveUp(`agent in ${host.name} ended: ${complaints}`),
    (error) => giveUp(String(error)),
  )

  function giveUp(reason: string): void {
    complaints = reason
    for (const { reject } of waiting.values()) reject(new Error(reason))
    waiting.clear()
  }

  function answered(id: number): Promise<Reach & { id: number }> {
    return new Promise((resolve, reject) => {
      if (child.exitCode !== null) reject(new Error(complaints))
      else waiting.set(id, { resolve, reject })
    })
  }

  async function ask(request: Request): Promise<Reach & { id: number }> {
    requests += 1
    const answer = answered(requests)
    child.stdin?.write(`${JSON.stringify({ id: requests, ...request })}\n`)
    return await answer
  }

  const ready = answered(0)
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as Reach & { id: number }
      waiting.get(answer.id)?.resolve(answer)
      waiting.delete(answer.id)
    })
  }
  await ready
  return { ask }
}

/** From lab/ and from dist/lab/ alike: the package's root is where package.json is. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory)
  return directory
}

function agentFile(): string {
  return join(packageRoot(), 'lab', 'agent.mjs')
}
