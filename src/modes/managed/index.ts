import { addresses } from '../../artifacts/addresses.ts'
import type { Artifact } from '../../artifacts/artifact.ts'
import { dhcpd } from '../../artifacts/dhcpd.ts'
import { iptables } from '../../artifacts/iptables.ts'
import { links } from '../../artifacts/links.ts'
import type { ConfDemands } from '../../view/conf/demands.ts'
import type { View } from '../../view/view.ts'
import { metadataCheck } from '../metadata-check.ts'
import type { Mode, NodeCheck } from '../mode.ts'
import type { Layout } from './controller.ts'
import { desired, remains } from './desired.ts'
import { FORMER_RULES } from './former-rules.ts'
import { CONTROLLER_OPTIONS, NODE_OPTIONS } from './options.ts'

/** What a playbook may have verified on a controller. */
export const CHECKS: readonly NodeCheck[] = [metadataCheck('EUCA_PREROUTING')]

/** Security groups are named by their ids, and so are their bridges. */
const BRIDGES = links({ owned: '^sg-' })

export function controllerArtifacts({ vlans }: Layout): readonly Artifact[] {
  return [
    iptables({
      owned: '^(EUCA_|sg-)',
      // There is nothing of the administrator's in our chains: his rules stand beside them.
      hooks: '^$',
      entries: '^(EUCA_|sg-)',
      policies: '^filter FORWARD$',
      former: FORMER_RULES,
      preload: true,
      bridged: vlans ? 'must not' : 'either',
    }),
    BRIDGES,
    addresses,
    dhcpd({ daemon: '$VNET_DHCPDAEMON', device: '', unit: '' }),
  ]
}

/** The one of both modes. */
export const CONF = {
  keys: ['VNET_SUBNET', 'VNET_NETMASK', 'VNET_ADDRSPERNET', 'VNET_DNS'],
  network: 'segments',
} as const satisfies ConfDemands

export const managed: Mode = {
  name: 'MANAGED',
  conf: CONF,
  duties: {
    cc: {
      asksFacts: false,
      options: CONTROLLER_OPTIONS,
      artifacts: controllerArtifacts({ vlans: true }),
      checks: CHECKS,
    },
    nc: { asksFacts: false, options: NODE_OPTIONS, artifacts: [BRIDGES], checks: [] },
  },
  unfit,
  desired,
  remains,
}

export function unfit(view: View): readonly string[] {
  return [
    ...(view.managedSubnet ? [] : ['there is no managedSubnet']),
    ...(view.cloudController ? [] : ['there is no enabledCLCIp']),
    ...(view.vpcElements > 0 ? ['VPCs, internet gateways and DHCP option sets do not belong to this mode'] : []),
  ]
}
