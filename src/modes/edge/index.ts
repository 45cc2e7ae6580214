import { addresses } from '../../artifacts/addresses.ts'
import { dhcpd } from '../../artifacts/dhcpd.ts'
import { ebtables } from '../../artifacts/ebtables.ts'
import { ipset } from '../../artifacts/ipset.ts'
import { iptables } from '../../artifacts/iptables.ts'
import { placeholder } from '../../artifacts/placeholder.ts'
import type { View } from '../../view/view.ts'
import type { Mode } from '../mode.ts'
import { CHECKS } from './checks.ts'
import { desired, remains } from './desired.ts'
import { metered } from './metered.ts'
import { OPTIONS } from './options.ts'

/** Chains and sets of this mode; security groups are named by their ids. */
const OWNED = '^(EUCA_|sg-)'

export const edge: Mode = {
  name: 'EDGE',
  duties: {
    nc: {
      asksFacts: true,
      options: OPTIONS,
      artifacts: [
        ipset({ owned: OWNED, restricting: '^EUCA_' }),
        iptables({ owned: OWNED, hooks: 'USERHOOK$', entries: '^EUCA_', bridged: 'must' }),
        addresses,
        ebtables({ owned: '^EUCA_' }),
        dhcpd({ daemon: 'dhcpd', device: '$VNET_BRIDGE', unit: 'eucanetd-dhcpd@$VNET_BRIDGE.service' }),
        placeholder,
      ],
      checks: CHECKS,
    },
  },
  unfit,
  desired,
  remains,
  metered,
}

function unfit(view: View): readonly string[] {
  return [
    ...(view.vpcElements > 0 ? ['VPCs, internet gateways and DHCP option sets do not belong to this mode'] : []),
    ...view.clusters.filter(({ subnet }) => !subnet).map(({ name }) => `cluster ${name} has no subnet`),
    ...view.clusters
      .filter(({ privatePool }) => privatePool.length === 0)
      .map(({ name }) => `cluster ${name} has no private addresses`),
  ]
}
