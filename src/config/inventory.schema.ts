/** The shape of an inventory file; closed, so that a misspelt key is an error and not a setting without effect. */

import type { FromSchema, JSONSchema } from 'json-schema-to-ts'
import { NAME, SSH } from './parts.schema.ts'

const ROLE = { type: 'string', enum: ['nc', 'cc', 'clc'], description: 'nc, cc or clc' } as const

const PROFILE = {
  type: 'string',
  enum: ['compatible', 'hardened'],
  description: 'one of compatible (what the original holds) and hardened (that and what it lacks)',
} as const

const PERSIST = {
  type: 'boolean',
  description: 'one of true (the node makes its last bundle anew when it is started) and false',
} as const

const SSH_SETTINGS = {
  type: 'object',
  properties: SSH,
  additionalProperties: false,
  description: 'a map such as { user: root, key: ~/.ssh/id_ed25519 }',
} as const

/** Control characters are refused here once, because the values go into rendered files, where a newline is a rule. */
const OPTIONS = {
  type: 'object',
  propertyNames: {
    type: 'string',
    pattern: '^[A-Z][A-Z0-9_]*$',
    description: 'the name of an option as eucalyptus.conf spells it, such as VNET_BRIDGE',
  },
  additionalProperties: {
    type: ['string', 'number'],
    pattern: '^[^\\u0000-\\u001f\\u007f]*$',
    description: 'one line of text or a number (in quotes: "true", "false", "null")',
  },
  description: 'a map such as { VNET_BRIDGE: br0 }',
} as const

/** An empty map is a node that is rendered without being asked, in a mode that has no use for what it would say. */
const FACTS = {
  type: 'object',
  dependentRequired: { bridge_mac: ['bridge_addresses'], bridge_addresses: ['bridge_mac'] },
  properties: {
    bridge_mac: {
      type: 'string',
      pattern: '^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$',
      description: 'the MAC address of the bridge, such as "02:00:00:00:00:52"',
    },
    bridge_addresses: {
      type: 'array',
      items: {
        type: 'string',
        format: 'interface-address',
        description: 'an address with its prefix length, such as 10.111.5.52/16',
      },
      description: 'a list of the addresses of the bridge, such as [10.111.5.52/16]',
    },
    eucalyptus_version: {
      type: ['string', 'number'],
      pattern: '^[0-9]+([.][0-9]+)*$',
      description: 'a version such as 5.1.0',
    },
  },
  additionalProperties: false,
  description: 'a map such as { bridge_mac: "02:00:00:00:00:52", bridge_addresses: [10.111.5.52/16] }',
} as const

const LAYER = { role: ROLE, profile: PROFILE, persist: PERSIST, ssh: SSH_SETTINGS, options: OPTIONS } as const

export const INVENTORY_SCHEMA = {
  type: 'object',
  required: ['cloud', 'nodes'],
  properties: {
    cloud: NAME,
    defaults: {
      type: 'object',
      properties: LAYER,
      additionalProperties: false,
      description: 'a map of what holds for every node: role, profile, persist, ssh, options',
    },
    groups: {
      type: 'object',
      propertyNames: NAME,
      additionalProperties: {
        type: 'object',
        required: ['nodes'],
        properties: {
          ...LAYER,
          nodes: {
            type: 'array',
            minItems: 1,
            uniqueItems: true,
            items: { type: 'string', description: 'the name of a node of this inventory' },
            description: 'a list of at least one node of this inventory',
          },
        },
        additionalProperties: false,
        description: 'a map such as { nodes: [nc-01, nc-02] }',
      },
      description: 'a map of groups such as canary: { nodes: [nc-01] }',
    },
    nodes: {
      type: 'object',
      minProperties: 1,
      propertyNames: NAME,
      additionalProperties: {
        type: 'object',
        required: ['address'],
        properties: {
          ...LAYER,
          address: {
            type: 'string',
            format: 'ipv4',
            description: 'the IPv4 address under which the cloud knows the node, such as 10.111.5.51',
          },
          facts: FACTS,
        },
        additionalProperties: false,
        description: 'a map such as { address: 10.111.5.51 }',
      },
      description: 'a map of at least one node such as nc-01: { address: 10.111.5.51 }',
    },
  },
  additionalProperties: false,
  description: 'an inventory: a map with the keys cloud and nodes',
} as const satisfies JSONSchema

export type InventoryYaml = FromSchema<typeof INVENTORY_SCHEMA>
export type FactsYaml = FromSchema<typeof FACTS>
