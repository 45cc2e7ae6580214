/**
 * Which versions of the cloud take a document, so that nobody has to find out by setting it: rather a range for the
 * document as it is than a version to check it for.
 */

import type { ConfigurationRules, NetworkConfiguration } from './network-configuration.ts'
import { mapsOf } from './read-configuration.ts'

export interface Versions {
  readonly since: string
  readonly until: string | undefined
}

/** In order; a patch release stands where keys came with it. */
const VERSIONS = ['4.0', '4.1', '4.1.1', '4.2', '4.3', '4.4', '5']

export function versionsOf({ keys, mido }: NetworkConfiguration, rules: ConfigurationRules, isJson: boolean): Versions {
  const gateways = mido ? mapsOf(mido, 'Gateways') : []
  const needs: readonly (readonly [version: string, isNeeded: boolean])[] = [
    [rules.since, keys.includes('Mode')],
    ['4.1.1', keys.includes('PublicGateway')],
    ['4.2', gateways.length > 0],
    // Until then the host that runs the gateways' agent had to be said.
    ['4.4', mido !== undefined && mido.value.EucanetdHost === undefined],
    ['4.4', mido?.value.BgpAsn !== undefined || gateways.some(({ value }) => value.ExternalIp !== undefined)],
    // Until then there had to be a pool, if only an empty one, and nothing but JSON was read.
    ['5', !keys.includes('PublicIps')],
    ['5', !isJson],
  ]
  const needed = needs.filter(([, isNeeded]) => isNeeded).map(([version]) => VERSIONS.indexOf(version))
  return { since: VERSIONS[Math.max(0, ...needed)] ?? '', until: rules.until }
}
