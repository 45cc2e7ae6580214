/**
 * What a node is and what it holds: one round trip, nothing written.
 *
 * A node is described here in its own words; what a mode wants to know of it is for the mode to say. That the one is
 * enough for the other is checked by the compiler where they meet, in commands/.
 */

import { type Templates, templateAt } from '../bundle/templates.ts'
import { type ClockReading, readClock } from './clock.ts'
import { type Answer, ask, said } from './exchange.ts'
import type { Stored } from './stage-script.ts'
import type { Connection, Target, Transport } from './transport.ts'

export interface Probed {
  readonly facts: Facts
  /** The node's own eucalyptus.conf. */
  readonly conf: Settings
  /** The rules that its administrator keeps for a front-end, as they stand in the file; empty where there is none. */
  readonly preload: string
  readonly boot: string
  /** Of the last run that changed it; 0 for none. */
  readonly epoch: number
  /** A commit that nobody has confirmed yet. */
  readonly pending: Pending | undefined
  readonly holding: Holding | undefined
  /** Files of bundles that are there, current or not. */
  readonly stored: Stored
  /** Undefined where the node's `date` does not count fractions of a second. */
  readonly clock: ClockReading | undefined
}

interface Facts {
  readonly interfaces: Readonly<Record<string, Interface>>
  /** The version of Eucalyptus that is installed there. */
  readonly eucalyptusVersion?: string
}

interface Interface {
  readonly mac: string
  /** With prefix length, as the kernel shows them. */
  readonly addresses: readonly string[]
}

type Settings = Readonly<Record<string, Setting>>

interface Setting {
  readonly value: string
  /** `file:line`, for messages. */
  readonly where: string
}

/** The last confirmed bundle, and whether the kernel still shows exactly it. */
export interface Holding {
  readonly digest: string
  readonly held: boolean
  /** Names of the artifacts that differ. */
  readonly differing: readonly string[]
  /** How many rules, members, addresses and so on the bundle has; undefined where its manifest does not say. */
  readonly entries: number | undefined
  /** The mode that made it; undefined where its manifest does not say. */
  readonly mode: string | undefined
  /** The version of the view that it says it serves; empty if it says none. */
  readonly version: string
}

interface Pending {
  readonly run: string
  readonly state: string
  /** Seconds until it goes back by itself. */
  readonly left: number
}

/** The probe cannot be trusted as a description of the node: nothing was done. */
export class NotProbed extends Error {}

const TIMEOUT = 60_000
const CONF = '/etc/eucalyptus/eucalyptus.conf'

/** A connection for this one question. */
export async function probeNode(transport: Transport, target: Target, templates: Templates): Promise<Probed> {
  const connection = await transport.connect(target)
  try {
    return await probe(connection, templates)
  } finally {
    connection.close()
  }
}

export async function probe(connection: Connection, templates: Templates): Promise<Probed> {
  const asked = performance.now()
  return probedOf(await ask(connection, templateAt(templates, 'node/probe.sh'), TIMEOUT), asked)
}

/** What a node says of itself, in an answer that may say more; `asked` is when that was, by our own clock. */
export function probedOf(answer: Answer, asked: number): Probed {
  const errors = said(answer, 'error')
  if (answer.status !== 0 || errors.length > 0) {
    throw new NotProbed(errors.join('; ') || `the probe ended with status ${answer.status}`)
  }
  return {
    facts: factsOf(answer),
    conf: confOf(answer),
    preload: said(answer, 'preload')
      .map((line) => `${line}\n`)
      .join(''),
    boot: said(answer, 'boot')[0] ?? '',
    epoch: Number(said(answer, 'epoch')[0] ?? 0),
    pending: pendingOf(answer),
    holding: holdingOf(answer),
    stored: new Set(said(answer, 'stored').flatMap((text) => text.split(' '))),
    clock: readClock(said(answer, 'clock')[0], asked),
  }
}

function factsOf(answer: Answer): Facts {
  const interfaces: Record<string, Interface> = {}
  for (const text of said(answer, 'link')) {
    const [name = '', mac = ''] = text.split(' ')
    interfaces[name] = { mac, addresses: addressesOf(answer, name) }
  }
  const [eucalyptusVersion] = said(answer, 'eucalyptus')
  return eucalyptusVersion === undefined ? { interfaces } : { interfaces, eucalyptusVersion }
}

function addressesOf(answer: Answer, device: string): readonly string[] {
  return said(answer, 'address').flatMap((text) => {
    const [name, address = ''] = text.split(' ')
    return name === device ? [address] : []
  })
}

/** `12 NAME="value"  # comment`; the first line that sets a name wins, as for the node's own programs. */
function confOf(answer: Answer): Settings {
  const conf: Record<string, Setting> = {}
  for (const text of said(answer, 'conf')) {
    const [, line, name, quoted, bare] = /^(\d+) \s*([A-Z0-9_]+)\s*=\s*(?:"([^"]*)"|([^\s#]*))/.exec(text) ?? []
    if (name !== undefined) conf[name] ??= { value: quoted ?? bare ?? '', where: `${CONF}:${line}` }
  }
  return conf
}

function pendingOf(answer: Answer): Pending | undefined {
  const [run, state = '', left] = said(answer, 'pending')[0]?.split(' ') ?? []
  return run === undefined ? undefined : { run, state, left: Number(left) }
}

function holdingOf(answer: Answer): Holding | undefined {
  const [digest] = said(answer, 'current')
  if (digest === undefined) return undefined
  const differing = said(answer, 'differs').flatMap((text) => text.split(' '))
  const [entries] = said(answer, 'entries')
  return {
    digest,
    held: said(answer, 'held')[0] === 'yes',
    differing,
    version: said(answer, 'view')[0] ?? '',
    entries: entries === undefined ? undefined : Number(entries),
    mode: said(answer, 'mode')[0],
  }
}
