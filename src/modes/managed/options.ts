import type { OptionSpec } from '../mode.ts'
import { interfaceName, path } from '../option-checks.ts'
import { GATEWAYS } from './segments.ts'

function position(value: string): string | undefined {
  return /^[0-7]?$/.test(value) ? undefined : `must be 0 to ${GATEWAYS - 1}, or empty`
}

export const EUCALYPTUS: OptionSpec = { name: 'EUCALYPTUS', fallback: '/', check: path }
const PRIVATE: OptionSpec = { name: 'VNET_PRIVINTERFACE', check: interfaceName }

export const CONTROLLER_OPTIONS: readonly OptionSpec[] = [
  EUCALYPTUS,
  { name: 'VNET_PUBINTERFACE', check: interfaceName },
  PRIVATE,
  { name: 'VNET_DHCPDAEMON', fallback: '/usr/sbin/dhcpd', check: path },
  // Which of the eight gateways of each segment are this controller's; the original has no name for it.
  { name: 'CLUSTER_POSITION', fallback: '', check: position },
]

export const NODE_OPTIONS: readonly OptionSpec[] = [EUCALYPTUS, PRIVATE]

/** Where no device is made, the bridge of the instances is the administrator's. */
export const BRIDGE: OptionSpec = { name: 'VNET_BRIDGE', check: interfaceName }
