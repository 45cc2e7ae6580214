import type { OptionSpec } from '../mode.ts'
import { interfaceName, path } from '../option-checks.ts'

export const CONTROLLER_OPTIONS: readonly OptionSpec[] = [
  { name: 'EUCALYPTUS', fallback: '/', check: path },
  { name: 'VNET_PRIVINTERFACE', check: interfaceName },
  { name: 'VNET_DHCPDAEMON', fallback: '/usr/sbin/dhcpd', check: path },
]

export const NODE_OPTIONS: readonly OptionSpec[] = [{ name: 'VNET_BRIDGE', check: interfaceName }]
