/** What a configuration file does not say: who is there. As it was written, nothing compared with anything yet. */

import type { Line } from '../wire34/element.ts'

export interface InstanceList {
  /** For messages. */
  readonly file: string
  readonly cloudController: Line | undefined
  readonly tags: { readonly first: Line | undefined; readonly last: Line | undefined }
  /** In the order of the file, as everything here. */
  readonly clusters: readonly ListedCluster[]
  readonly groups: readonly ListedGroup[]
  readonly instances: readonly ListedInstance[]
}

export interface ListedCluster {
  readonly name: Line
  readonly controller: Line
  readonly nodes: readonly Line[]
}

export interface ListedGroup {
  readonly name: Line
  readonly owner: Line | undefined
  readonly rules: readonly Line[]
}

export interface ListedInstance {
  readonly id: Line
  readonly node: Line
  readonly mac: Line | undefined
  readonly address: Line | undefined
  readonly publicAddress: Line | undefined
  readonly owner: Line | undefined
  readonly groups: readonly Line[]
}
