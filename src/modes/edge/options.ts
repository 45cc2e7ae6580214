import { parseIpv4 } from '../../view/ipv4.ts'
import type { OptionSpec } from '../mode.ts'
import { interfaceName, path } from '../option-checks.ts'

function yesOrNo(value: string): string | undefined {
  return /^[YN]$/.test(value) ? undefined : 'must be Y or N'
}

function anyText(): undefined {
  return undefined
}

export const OPTIONS: readonly OptionSpec[] = [
  { name: 'EUCALYPTUS', fallback: '/', check: path },
  { name: 'VNET_BRIDGE', check: interfaceName },
  { name: 'VNET_PUBINTERFACE', check: interfaceName },
  // Part of every node's configuration, but no rule of this mode depends on it.
  { name: 'VNET_PRIVINTERFACE', fallback: '', check: anyText },
  { name: 'NC_ROUTER', fallback: 'Y', check: yesOrNo },
  {
    name: 'NC_ROUTER_IP',
    fallback: '',
    check: (value) =>
      value === '' || value === 'AUTO' || parseIpv4(value) ? undefined : 'must be an IPv4 address, AUTO or empty',
  },
  { name: 'NC_PROXY', fallback: 'N', check: yesOrNo },
  { name: 'DISABLE_L2_ISOLATION', fallback: 'N', check: yesOrNo },
  { name: 'METADATA_USE_VM_PRIVATE', fallback: 'N', check: yesOrNo },
  {
    name: 'METADATA_IP',
    fallback: '',
    check: (value) => (value === '' || parseIpv4(value) ? undefined : 'must be an IPv4 address or empty'),
  },
]
