// Who is in a lab of a mode with controllers: a cluster controller for each cluster, which is the router of its
// instances, and nodes beside it on the public switch. Instances have addresses of their group's segment.

import type { ClusterPlan, HostPlan, NodePlan } from './plan-lab.ts'

export const LAB_MODES = ['EDGE', 'MANAGED', 'MANAGED-NOVLAN'] as const
export type LabMode = (typeof LAB_MODES)[number]

/** The router of a cluster's instances. */
export interface ControllerPlan extends HostPlan {
  readonly address: string
  readonly options: Readonly<Record<string, string>>
}

/** The network that is cut into segments, from this tag on; the first eight addresses after a segment's own are gateways. */
export const managedNetwork = {
  address: '172.16.0.0',
  netmask: '255.255.0.0',
  size: 32,
  firstTag: 512,
  lastTag: 639,
  firstInstance: 9,
} as const

const PREFIX = '10.111.5'
const GATEWAY = '10.111.0.1'

export function planController(number: number): ControllerPlan {
  const address = `${PREFIX}.${20 + number}`
  return {
    name: `cc-0${number}`,
    address,
    legs: [{ device: 'eth0', switch: 'public', addresses: [`${address}/16`] }],
    gateway: GATEWAY,
    options: { VNET_PUBINTERFACE: 'eth0', VNET_PRIVINTERFACE: 'eth0' },
  }
}

/** With VLANs there is no bridge until a push makes one. */
export function planManagedNode(number: number, cluster: number, mode: LabMode): NodePlan {
  const name = `nc-${String(number).padStart(2, '0')}`
  const address = `${PREFIX}.${50 + number}`
  const hasBridge = mode === 'MANAGED-NOVLAN'
  return {
    name,
    address,
    cluster,
    legs: [{ device: 'eth0', switch: 'public', addresses: hasBridge ? [] : [`${address}/16`] }],
    gateway: GATEWAY,
    bridgeMac: `02:00:00:00:00:${(0x50 + number).toString(16)}`,
    bridgeAddresses: hasBridge ? [`${address}/16`] : [],
    options: hasBridge ? { VNET_BRIDGE: 'br0' } : { VNET_PRIVINTERFACE: 'eth0' },
  }
}

export function planManagedCluster(number: number): ClusterPlan {
  return {
    name: number === 1 ? 'one' : 'two',
    subnet: '10.111.0.0',
    netmask: '255.255.0.0',
    gateway: GATEWAY,
    controller: `${PREFIX}.${20 + number}`,
    firstInstance: '',
    lastInstance: '',
  }
}
