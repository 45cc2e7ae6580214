/** The shape of an instance list, what is there in a cloud that publishes no view; closed, as our own files are. */

import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

/** What is in a text is for the reader of views to say, with everything else that is wrong with a view. */
const TEXT = { type: 'string', pattern: '^[^\\u0000-\\u001f\\u007f]+$' } as const

const ADDRESS = { type: 'string', format: 'ipv4' } as const

const OWNER = { type: ['string', 'number'], description: 'an account such as "000111222333"' } as const

const CLUSTER = {
  type: 'object',
  required: ['controller', 'nodes'],
  properties: {
    controller: { ...TEXT, description: 'the address (or host name) of its controller, such as 10.111.5.10' },
    nodes: {
      type: 'array',
      uniqueItems: true,
      items: { ...ADDRESS, description: 'the IPv4 address of a node, such as 10.111.5.51' },
      description: 'a list of the addresses of its nodes such as [10.111.5.51]',
    },
  },
  additionalProperties: false,
  description: 'a map such as { controller: 10.111.5.10, nodes: [10.111.5.51] }',
} as const

const GROUP = {
  type: 'object',
  properties: {
    owner: OWNER,
    rules: {
      type: 'array',
      items: { ...TEXT, description: 'a rule such as "-P tcp -p 22-22 -s 0.0.0.0/0"' },
      description: 'a list of rules such as ["-P tcp -p 22-22 -s 0.0.0.0/0", "-P icmp -t -1:-1 -s 10.0.0.0/8"]',
    },
  },
  additionalProperties: false,
  description: 'a map such as { rules: ["-P tcp -p 22-22 -s 0.0.0.0/0"] }',
} as const

const INSTANCE = {
  type: 'object',
  required: ['node'],
  properties: {
    node: { ...ADDRESS, description: 'the address of the node that it runs on' },
    mac: { ...TEXT, description: 'a MAC address such as "d0:0d:0a:0a:0a:0a"' },
    address: { ...ADDRESS, description: 'the IPv4 address that it has on its private network' },
    public_address: { ...ADDRESS, description: 'the IPv4 address under which others reach it' },
    groups: {
      type: 'array',
      items: { ...TEXT, description: 'the name of a group of this list' },
      description: 'a list of groups such as [sg-0a0a0a0a]',
    },
    owner: OWNER,
  },
  additionalProperties: false,
  description: 'a map such as { node: 10.111.5.51, groups: [sg-0a0a0a0a] }',
} as const

const TAG = { type: 'integer', minimum: 2, maximum: 4095, description: 'a VLAN tag between 2 and 4095' } as const

export const INSTANCE_LIST_SCHEMA = {
  type: 'object',
  required: ['clusters'],
  properties: {
    cloud_controller: { ...ADDRESS, description: 'the IPv4 address of the cloud controller' },
    tags: {
      type: 'object',
      properties: { first: TAG, last: TAG },
      additionalProperties: false,
      description: 'a map of the tags that groups may have, such as { first: 512, last: 639 }',
    },
    clusters: {
      type: 'object',
      minProperties: 1,
      additionalProperties: CLUSTER,
      description: 'a map of at least one cluster such as one: { controller: 10.111.5.10, nodes: [10.111.5.51] }',
    },
    groups: {
      type: 'object',
      additionalProperties: GROUP,
      description: 'a map of groups such as sg-0a0a0a0a: { rules: ["-P tcp -p 22-22 -s 0.0.0.0/0"] }',
    },
    instances: {
      type: 'object',
      additionalProperties: INSTANCE,
      description: 'a map of instances such as i-0a0a0a0a: { node: 10.111.5.51 }',
    },
  },
  additionalProperties: false,
  description: 'an instance list: a map with the key clusters, and groups and instances where there are any',
} as const satisfies JSONSchema

export type InstanceListYaml = FromSchema<typeof INSTANCE_LIST_SCHEMA>
