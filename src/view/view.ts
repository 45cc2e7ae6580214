/**
 * The global network view at one moment, in our words.
 *
 * Invariants, kept by the parser and relied upon by every mode:
 * - addresses are valid and canonical (`Ipv4` holds nothing else), names are safe to stand in a rendered file;
 * - clusters are sorted by name, nodes by name, groups by id, subnets by address, instances (also those of a node) by
 *   private address, so that the order in which the cloud's database happens to answer never shows; what the view's
 *   author ordered stays as it is (a group's rules, the groups of an instance, DNS servers, pools, whose gateways are whose);
 * - cluster names, node names, group ids and instance ids are unique; an instance runs on at most one node;
 * - no two instances share an address, public or private, or a MAC, nor two of one node the name of their interface;
 * - every group that an instance is in is a group of the view;
 * - everything is frozen, all the way down.
 */

import type { Cidr, Ipv4, Range } from './ipv4.ts'

export interface View {
  /** As the view spells it. */
  readonly mode: string
  /** For display only: equal versions can have different content, and the same content another version. */
  readonly version: string | undefined
  /** Absent in modes that have no use for it, where nobody said it. */
  readonly cloudController: Ipv4 | undefined
  readonly dnsDomain: string
  readonly dnsServers: readonly Ipv4[]
  readonly publicPool: readonly Range[]
  /** Private networks besides those of the clusters. */
  readonly subnets: readonly Subnet[]
  /** The one private network of modes that cut it into segments, one for each group; absent in all others. */
  readonly managedSubnet: ManagedSubnet | undefined
  readonly clusters: readonly Cluster[]
  readonly instances: readonly Instance[]
  readonly groups: readonly SecurityGroup[]
  /**
   * Private addresses of instances that a lenient reading left out, sorted. They may be running: nothing is let in to
   * them. Empty in a view that was read strictly.
   */
  readonly withheld: readonly Ipv4[]
  /** How many instances a lenient reading left out without knowing their private address. */
  readonly untraced: number
  /** How many VPCs, internet gateways and DHCP option sets there are; what they hold is not read. */
  readonly vpcElements: number
}

export interface Subnet {
  readonly network: Cidr
  readonly gateway: Ipv4
}

/** One private network, cut into equal segments. A group has the segment of its tag; the first one is that of tag 2. */
export interface ManagedSubnet {
  readonly network: Cidr
  /** How many addresses a segment has: a power of two. */
  readonly segmentSize: number
  /** Of the tags that the cloud gives to groups; both ends belong to them. */
  readonly tags: { readonly first: number; readonly last: number }
  /** Names of the clusters as the view's author ordered them: each has the gateways of its place in this list. */
  readonly clusters: readonly string[]
}

export interface Cluster {
  readonly name: string
  /** Address of its controller, or a host name where the cloud could not resolve one. */
  readonly controller: string
  /** For display only: MACs of instances need not begin with it. Absent in modes that say every MAC. */
  readonly macPrefix: string | undefined
  /** Absent in modes whose clusters have no network of their own. */
  readonly subnet: Subnet | undefined
  /** Empty in modes whose clusters have no network of their own. */
  readonly privatePool: readonly Range[]
  readonly nodes: readonly ViewNode[]
}

export interface ViewNode {
  /** The address (or host name) under which the cloud knows the node. */
  readonly name: string
  /** Ids without an instance of that id in the view are left out. */
  readonly instances: readonly string[]
}

export interface Instance {
  readonly id: string
  readonly owner: string
  /** Lower case, colons. */
  readonly mac: string | undefined
  /** Never the private address: where a cloud has only those, there is no public one. */
  readonly publicAddress: Ipv4 | undefined
  readonly privateAddress: Ipv4
  /**
   * As the view orders them, each once. In modes that have groups at least one, but for a lenient reading: then nothing is
   * let in.
   */
  readonly groups: readonly string[]
}

export interface SecurityGroup {
  /** Its name, or where that cannot be the name of a chain, one made from it. */
  readonly id: string
  readonly owner: string
  readonly ingress: readonly IngressRule[]
}

export interface IngressRule {
  readonly match: RuleMatch
  readonly source: RuleSource
}

export type RuleMatch =
  | { readonly protocol: 'tcp' | 'udp'; readonly ports: PortRange | 'all' }
  | { readonly protocol: 'icmp'; readonly type: number | 'any'; readonly code: number | 'any' }
  | { readonly protocol: number }

interface PortRange {
  readonly from: number
  readonly to: number
}

/** Where traffic may come from, a group possibly unknown to the view; `group` alone, `cidr` alone, or both at once (each must then hold). */
export type RuleSource =
  | { readonly cidr: Cidr; readonly group?: undefined }
  | { readonly group: string; readonly cidr?: Cidr }
