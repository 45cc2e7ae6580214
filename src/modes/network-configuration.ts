/**
 * A cloud's network configuration document: what an administrator writes and the cloud makes its view from. Here as far
 * as it could be read: what has not the form it must have is left out, because it is a defect already, and what depends
 * on it would only be said wrong.
 *
 * Every part knows its path in the document, for what is said about it.
 */

import type { Cidr, Ipv4, Range } from '../view/ipv4.ts'

export type KeyPath = readonly (string | number)[]

export interface NetworkConfiguration {
  /** As written, or what the cloud takes when nothing is. */
  readonly mode: string
  /** Keys at the top, as they are written. */
  readonly keys: readonly string[]
  readonly publicIps: readonly DeclaredRange[]
  readonly privateIps: readonly DeclaredRange[]
  readonly subnets: readonly DeclaredSubnet[]
  readonly managedSubnet: ManagedSubnet | undefined
  readonly clusters: readonly DeclaredCluster[]
  readonly mido: DeclaredMap | undefined
}

/** A map whose meaning only one mode knows. */
export interface DeclaredMap {
  readonly path: KeyPath
  readonly value: Readonly<Record<string, unknown>>
}

export interface DeclaredRange {
  readonly path: KeyPath
  readonly range: Range
}

export interface DeclaredSubnet {
  readonly path: KeyPath
  readonly keys: readonly string[]
  readonly name: string | undefined
  /** As written, perhaps with host bits. */
  readonly address: Ipv4 | undefined
  readonly netmask: Ipv4 | undefined
  readonly gateway: Ipv4 | undefined
  /** Undefined unless address and netmask make one. */
  readonly network: Cidr | undefined
}

export interface ManagedSubnet extends DeclaredSubnet {
  readonly minVlan: number
  readonly maxVlan: number
  readonly segmentSize: number
}

export interface DeclaredCluster {
  readonly path: KeyPath
  readonly name: string | undefined
  readonly subnet: DeclaredSubnet | undefined
  /** Undefined where the cluster does not say, which is not the same as saying none. */
  readonly privateIps: readonly DeclaredRange[] | undefined
}

export interface ConfigurationDefect {
  readonly path: KeyPath
  /** When the key itself is wrong, and not what stands under it. */
  readonly atKey?: string
  readonly problem: string
}

/** What a document means once every default is filled in. */
export interface ClusterPlan {
  readonly name: string
  readonly subnet: DeclaredSubnet | undefined
  readonly privateIps: readonly Range[]
}

/** What a mode asks of a document. */
export interface ConfigurationRules {
  readonly mode: string
  /** Versions of the cloud that have this mode, the first and the last. */
  readonly since: string
  readonly until?: string
  defects(configuration: NetworkConfiguration): readonly ConfigurationDefect[]
  /** In the order of the document. */
  clusters(configuration: NetworkConfiguration): readonly ClusterPlan[]
}
