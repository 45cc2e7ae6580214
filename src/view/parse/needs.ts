/** What a view has to say of itself: all of it, unless its mode has no use for it and its source never had it. */
export interface Needs {
  readonly cloudController: boolean
  readonly dnsServers: boolean
  /** That every instance is in one. */
  readonly groups: boolean
  readonly macPrefix: boolean
}

export const EVERYTHING: Needs = { cloudController: true, dnsServers: true, groups: true, macPrefix: true }
