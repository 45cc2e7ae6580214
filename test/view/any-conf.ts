/** Configuration files and lists of modes that are nobody's, one for each kind of network. */

import { readInstanceList } from '../../src/config/instance-list.ts'
import { NOTHING_ALLOCATED } from '../../src/view/conf/allocation.ts'
import type { ConfDemands } from '../../src/view/conf/demands.ts'
import { type ParsedConf, parseConf, STRICT } from '../../src/view/parse.ts'

export type Values = Readonly<Record<string, string>>

export const DEMANDS: Readonly<Record<string, ConfDemands>> = {
  MAPPED: {
    network: 'map',
    keys: ['VNET_SUBNET', 'VNET_NETMASK', 'VNET_BROADCAST', 'VNET_ROUTER', 'VNET_DNS', 'VNET_MACMAP'],
  },
  CUT: { network: 'segments', keys: ['VNET_SUBNET', 'VNET_NETMASK', 'VNET_ADDRSPERNET', 'VNET_DNS'] },
  FOREIGN: { network: 'foreign', keys: [] },
}

export const MAPPED = {
  VNET_MODE: 'MAPPED',
  VNET_SUBNET: '192.168.1.0',
  VNET_NETMASK: '255.255.255.0',
  VNET_BROADCAST: '192.168.1.255',
  VNET_ROUTER: '192.168.1.1',
  VNET_DNS: '192.168.1.2',
  VNET_MACMAP: 'AA:DD:11:CE:FF:ED=192.168.1.20 AA:DD:11:CE:FF:EE=192.168.1.21 AA:DD:11:CE:FF:EF=192.168.1.22',
}

export const CUT = {
  VNET_MODE: 'CUT',
  VNET_SUBNET: '172.16.0.0',
  VNET_NETMASK: '255.255.0.0',
  VNET_ADDRSPERNET: '32',
  VNET_DNS: '10.1.1.254',
  VNET_PUBLICIPS: '',
}

export const LIST = `cloud_controller: 10.111.1.50
clusters:
  one: { controller: 192.168.1.254, nodes: [192.168.1.11, 192.168.1.12] }
groups:
  sg-11111111: { owner: "000111222333", rules: ["-P tcp -p 22-22 -s 0.0.0.0/0"] }
  sg-22222222: {}
instances:
  i-00000001: { node: 192.168.1.11, groups: [sg-11111111] }
  i-00000002: { node: 192.168.1.12, groups: [sg-22222222] }
`

export function textOf(values: Values): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}="${value}"\n`)
    .join('')
}

/** The same list with these instances, a line each, from line 8 on. */
export function listOf(...instances: readonly string[]): string {
  return `${LIST.slice(0, LIST.indexOf('instances:'))}instances:\n${instances.map((line) => `  ${line}\n`).join('')}`
}

export function readConfiguration(text: string, list = LIST, before = NOTHING_ALLOCATED): ParsedConf {
  const demandsOf = (mode: string) => DEMANDS[mode]
  const conf = { name: 'eucalyptus.conf', text }
  return parseConf({ conf, list: readInstanceList(list, 'instances.yml'), before, demandsOf }, STRICT)
}

export function problems(parsed: ParsedConf): readonly string[] {
  return parsed.findings.map(({ severity, where, message }) => `${severity} ${where}: ${message}`)
}
