/** What a mode asks of a configuration file, as far as its view is made of one. */
export interface ConfDemands {
  /** Without these the original's daemons refuse to begin. */
  readonly keys: readonly string[]
  /**
   * What is known of the network that instances are in: `map`, it is that of VNET_SUBNET, and VNET_MACMAP has what each of
   * them is given; `segments`, it is VNET_SUBNET cut into segments; `foreign`, somebody else gives out its addresses.
   */
  readonly network: 'map' | 'segments' | 'foreign'
}
