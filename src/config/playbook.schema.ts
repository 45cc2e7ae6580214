/** The shape of a playbook file; closed, so that a misspelt key is an error and not a setting without effect. */

import type { FromSchema, JSONSchema } from 'json-schema-to-ts'
import { DURATION, FILE_PATH, NAME, PERCENT, SSH } from './parts.schema.ts'

const SOURCE = {
  type: 'object',
  properties: {
    ssh: {
      type: 'object',
      required: ['host', 'file'],
      properties: {
        ...SSH,
        file: { type: 'string', pattern: '^/', description: 'the absolute path of the view on that host' },
      },
      additionalProperties: false,
      description: 'a map such as { host: clc-01, file: /var/run/eucalyptus/global_network_info.xml }',
    },
    file: { ...FILE_PATH, description: 'the path of a view, or of a folder that stands for one' },
    instances: {
      type: ['string', 'object'],
      pattern: FILE_PATH.pattern,
      required: ['command'],
      properties: {
        command: {
          type: 'array',
          minItems: 1,
          items: { type: 'string', pattern: '^[^\\u0000]+$', description: 'a program, or one of its arguments' },
          description: 'a list of a program and its arguments such as [./list-instances, --all]',
        },
      },
      additionalProperties: false,
      description:
        'the path of an instance list, or a map such as { command: [./list-instances] }; the file is then an eucalyptus.conf',
    },
    max_age: DURATION,
    mode: {
      type: 'string',
      pattern: '^[A-Za-z][A-Za-z0-9-]{0,30}$',
      description: 'the name of a mode, for views before 4.2, which do not say theirs',
    },
    lenient: { type: 'boolean', description: 'a word: true leaves out what is wrong with one instance or rule' },
  },
  additionalProperties: false,
  description: 'a map such as { file: ./view.xml } or { ssh: { host: clc-01, file: /path/of/the/view.xml } }',
} as const

/** What a stage may verify without anything else to say about it. */
const PLAIN_CHECKS = ['reconnect', 'metadata', 'dhcp'] as const

const CHECK = {
  type: ['string', 'object'],
  pattern: `^(${PLAIN_CHECKS.join('|')})$`,
  required: ['check'],
  properties: {
    check: {
      type: 'string',
      enum: [...PLAIN_CHECKS, 'probe'],
      description: `one of ${PLAIN_CHECKS.join(', ')}, probe`,
    },
    timeout: DURATION,
    to: { type: 'string', format: 'ipv4', description: 'the private or public address of an instance' },
    tcp: SSH.port,
    icmp: { type: 'string', enum: ['echo'], description: 'the word echo' },
    expect: { type: 'string', enum: ['pass', 'drop'], description: 'one of pass, drop' },
  },
  additionalProperties: false,
  description: `one of ${PLAIN_CHECKS.join(', ')}, or a map such as { check: dhcp, timeout: 5s }`,
} as const

const STAGE = {
  type: 'object',
  required: ['name', 'targets'],
  properties: {
    name: NAME,
    targets: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'string',
        description: 'a word of --limit: a node, a group, all, a pattern such as nc-*, or one of them after ! or &',
      },
      description: 'a list such as [canary] or [all, "!nc-05"]',
    },
    parallel: { type: 'integer', minimum: 1, description: 'the number of nodes at a time, 1 or more' },
    pause: DURATION,
    window: DURATION,
    verify: {
      type: 'array',
      items: CHECK,
      description: `a list of checks: ${PLAIN_CHECKS.join(', ')}, or maps such as { check: dhcp, timeout: 5s }`,
    },
    batches: {
      type: 'array',
      minItems: 1,
      items: {
        type: ['integer', 'string'],
        minimum: 1,
        pattern: PERCENT.pattern,
        description: 'a number of nodes, 1 or more, or a share of the stage such as 20%',
      },
      description: 'a list of sizes such as [1, 5, 20%]',
    },
    commit: {
      type: 'string',
      enum: ['together', 'each'],
      description: 'one of together (no node begins before all of its batch are ready) and each',
    },
    failures: {
      type: ['integer', 'string'],
      minimum: 0,
      pattern: PERCENT.pattern,
      description: 'a number of nodes or a share such as 10%',
    },
  },
  additionalProperties: false,
  description: 'a map such as { name: canary, targets: [nc-01] }',
} as const

export const PLAYBOOK_SCHEMA = {
  type: 'object',
  required: ['name', 'inventory', 'stages'],
  properties: {
    name: NAME,
    inventory: FILE_PATH,
    source: SOURCE,
    guard: {
      type: 'object',
      properties: {
        changed: PERCENT,
        shrink: PERCENT,
        nodes: {
          type: 'string',
          enum: ['all', 'some'],
          description:
            'one of all (the inventory has every node of the view that runs instances) and some (it need not)',
        },
      },
      additionalProperties: false,
      description: 'a map such as { changed: 50%, shrink: 30%, nodes: all }',
    },
    stages: {
      type: 'array',
      minItems: 1,
      items: STAGE,
      description: 'a list of at least one stage such as { name: all, targets: [all] }',
    },
  },
  additionalProperties: false,
  description: 'a playbook: a map with the keys name, inventory and stages',
} as const satisfies JSONSchema

export type PlaybookYaml = FromSchema<typeof PLAYBOOK_SCHEMA>
