/**
 * What each mode asks of a network configuration document.
 *
 * A document is checked before a cloud is set up with it, so the modes that the cloud knows are all here, also those that
 * are not pushed to nodes yet. Those have no folder of their own; their rules move there with them.
 */

import { edgeConfiguration } from './edge/configuration.ts'
import { managedConfiguration } from './managed-configuration.ts'
import type { ConfigurationRules } from './network-configuration.ts'
import { vpcmidoConfiguration } from './vpcmido-configuration.ts'

export const CONFIGURATION_RULES: readonly ConfigurationRules[] = [
  edgeConfiguration,
  managedConfiguration('MANAGED'),
  managedConfiguration('MANAGED-NOVLAN'),
  vpcmidoConfiguration,
]
