/** `local-net`: `CCIP=` and `CLCIP=`, then `<instance> <device> NA <vlan> <mac> <public> <private>` for what runs there. */

import { parseIpv4 } from '../ipv4.ts'
import type { Findings } from '../parse/findings.ts'
import { quote } from '../parse/quote.ts'
import type { XmlElement } from '../xml.ts'
import { element, type Line, linesOf, type WireFile } from './element.ts'
import type { Topology } from './topology.ts'

export interface LocalNet {
  /** Address of the cluster's controller. */
  readonly controller: Line | undefined
  readonly node: XmlElement | undefined
  readonly instances: readonly XmlElement[]
  /** The private ones of its instances, as written. */
  readonly addresses: readonly string[]
}

interface Row {
  readonly line: Line
  readonly id: string
  readonly mac: string
  readonly publicIp: string
  readonly privateIp: string
}

const ROW = /^(i-\S+)\s+\S+\s+\S+\s+\S+\s+(\S+)\s+(\S+)\s+(\S+)$/

export function readLocalNet(
  file: WireFile,
  onlyNode: string | undefined,
  topology: Topology,
  findings: Findings,
): LocalNet {
  const top = { file: file.name, line: 1 }
  const lines = linesOf(file)
  const rows = lines.flatMap((line) => readRow(line, findings) ?? [])
  const [controller] = lines
    .filter(({ text }) => text.startsWith('CCIP='))
    .map((line) => ({ ...line, text: line.text.slice('CCIP='.length) }))
  const ids = rows.map(({ id, line }) => element('value', line, id))
  const name = nodeOf(file.name, onlyNode)
  if (name === undefined) findings.error({ ...top, label: '' }, 'nothing says whose it is: call it local-net.ADDRESS')
  return {
    controller,
    node: name === undefined ? undefined : element('node', top, '', [element('instanceIds', top, '', ids)], name),
    instances: rows.map((row) => toInstance(row, topology)),
    addresses: rows.map(({ privateIp }) => privateIp),
  }
}

function nodeOf(name: string, onlyNode: string | undefined): string | undefined {
  return name === 'local-net' ? onlyNode : parseIpv4(name.slice('local-net.'.length))
}

function readRow(line: Line, findings: Findings): Row | undefined {
  if (/^[A-Z]+=/.test(line.text)) return undefined
  const [, id, mac, publicIp, privateIp] = ROW.exec(line.text) ?? []
  if (id && mac && publicIp && privateIp) return { line, id, mac, publicIp, privateIp }
  return findings
    .within('instance')
    .error({ ...line, label: '' }, `${quote(line.text)} is not an instance of seven columns`)
}

function toInstance({ line, id, mac, publicIp, privateIp }: Row, { memberships }: Topology): XmlElement {
  const { owner = NOBODY, groups = [] } = memberships.get(privateIp) ?? {}
  const values = groups.map((group) => element('value', line, group))
  const parts = [element('ownerId', line, owner), element('macAddress', line, mac), element('publicIp', line, publicIp)]
  return element(
    'instance',
    line,
    '',
    [...parts, element('privateIp', line, privateIp), element('securityGroups', line, '', values)],
    id,
  )
}

/** The wire says owners only of groups; of an instance in none it is said already that it is in none. */
const NOBODY = '000000000000'
