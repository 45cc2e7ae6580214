// One push to one node: how long each of its phases took, what was started on the node for it and what was sent.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from '../lab/make-lab.ts'
import type { LabNode } from '../lab/make-node.ts'

export interface Measured {
  readonly status: string
  /** Milliseconds of each phase, in their order. */
  readonly phases: Readonly<Record<string, number>>
  /** Milliseconds from the first packet to the outcome, rendering apart. */
  readonly node: number
  /** Milliseconds of the whole command: start of Node.js, fetching and reading the view, and all of the above. */
  readonly command: number
  /** Process ids given out on the node, subshells and sshd's own among them. */
  readonly processes: number
  /** Bytes on the node's cable, headers of every layer included. */
  readonly sent: number
  readonly received: number
}

interface Event {
  readonly type: string
  readonly time: string
  readonly phase?: string
  readonly outcome?: { readonly status: string; readonly reason?: string }
}

export async function measurePush(lab: Lab, node: LabNode, args: readonly string[]): Promise<Measured> {
  const before = await countersOf(node)
  const began = performance.now()
  const { code, stdout, stderr } = await lab.edgepush(['push', ...args, '--json', '--node', node.name], {
    timeout: 300_000,
  })
  const command = performance.now() - began
  await quiet(node)
  const after = await countersOf(node)

  const events = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Event => JSON.parse(line))
  const outcome = events.find(({ type }) => type === 'outcome')?.outcome
  if (code !== 0 || !outcome) throw new Error(`push ended with ${code}: ${outcome?.reason}\n${stderr}`)
  const phases = phasesOf(events)
  const { render = 0 } = phases
  return {
    status: outcome.status,
    phases,
    node: Object.values(phases).reduce((sum, time) => sum + time, 0) - render,
    command,
    // Reading the counter takes a process, too.
    processes: after.pid - before.pid - 1,
    sent: after.received - before.received,
    received: after.sent - before.sent,
  }
}

/** From one event of the node to its next. */
function phasesOf(events: readonly Event[]): Readonly<Record<string, number>> {
  const steps = events.filter(({ type }) => type === 'phase' || type === 'outcome')
  const spans = steps.flatMap(({ phase, time }, index) => {
    const next = steps[index + 1]
    return phase === undefined || !next ? [] : [[phase, Date.parse(next.time) - Date.parse(time)] as const]
  })
  return Object.fromEntries(spans)
}

interface Counters {
  readonly pid: number
  readonly received: number
  readonly sent: number
}

async function countersOf(node: LabNode): Promise<Counters> {
  const device = node.legs[0]?.device ?? ''
  const files = ['rx_bytes', 'tx_bytes'].map((name) => `/sys/class/net/${device}/statistics/${name}`)
  const text = await node.run(['cat', '/proc/sys/kernel/ns_last_pid', ...files])
  const [pid = 0, received = 0, sent = 0] = text.split('\n').map(Number)
  return { pid, received, sent }
}

/** New addresses are announced for some seconds after a push; what that starts belongs to the push. */
async function quiet(node: LabNode): Promise<void> {
  while (isAnnouncing(node.pid)) await sleep(20)
}

function isAnnouncing(pid: number): boolean {
  const namespace = readlinkSync(`/proc/${pid}/ns/pid`)
  return readdirSync('/proc').some((entry) => {
    try {
      if (!/^\d+$/.test(entry) || readlinkSync(`/proc/${entry}/ns/pid`) !== namespace) return false
      return readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes('\0announce\0')
    } catch {
      return false
    }
  })
}
