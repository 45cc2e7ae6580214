/**
 * What inventory and playbook have in common. Every `description` completes the sentence "must be ..."; it is shown to
 * whoever wrote something else.
 */

/** Names become folders of rendered files and words of `--limit`, hence no slash, comma or colon, and no leading dot. */
export const NAME = {
  type: 'string',
  pattern: '^[a-z0-9][a-z0-9._-]*$',
  description: 'a name of lower-case letters, digits, ".", "_" and "-" that starts with a letter or digit',
} as const

/** `~name` is the home of another user to a shell; here it would be a file of that name, so it is refused. */
export const FILE_PATH = {
  type: 'string',
  pattern: '^([^~]|~/)',
  description: 'a path: absolute, from "~/", or relative to the folder of this file',
} as const

/** No leading "-", which a program that is given the name could take for a flag. */
const HOST = {
  type: 'string',
  pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]*$',
  description: 'a host name or address to connect to',
} as const

/** USER@ before and :PORT behind are optional; the word `none` has this form, too. */
const HOP_PATTERN =
  '^([A-Za-z0-9_][A-Za-z0-9._-]*@)?(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9][A-Za-z0-9._-]*)(:[1-9][0-9]{0,4})?$'

const HOP = {
  type: 'string',
  pattern: HOP_PATTERN,
  description: 'a jump host such as bastion, ops@bastion or ops@10.0.0.1:2222',
} as const

/** What may be added for old servers: what the SSH client can and does not offer by itself. */
export const OLD_ALGORITHMS = {
  key_exchange: ['diffie-hellman-group-exchange-sha1', 'diffie-hellman-group14-sha1', 'diffie-hellman-group1-sha1'],
  ciphers: ['aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'],
  host_keys: ['ssh-dss'],
  macs: ['hmac-sha1-96', 'hmac-md5', 'hmac-md5-96'],
} as const

const listOf = <const T extends readonly string[]>(names: T) =>
  ({
    type: 'array',
    items: { type: 'string', enum: names, description: `one of ${names.join(', ')}` },
    description: `a list of some of ${names.join(', ')}`,
  }) as const

/** The keys that say how to log in somewhere, wherever that is. */
export const SSH = {
  host: HOST,
  port: { type: 'integer', minimum: 1, maximum: 65535, description: 'a port between 1 and 65535' },
  user: { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]*$', description: 'the name of a user' },
  key: { ...FILE_PATH, description: 'the path of a private key: absolute, from "~/", or relative to this file' },
  become: { type: 'string', enum: ['sudo'], description: "the word sudo: root by sudo; absent, the login is root's" },
  known_hosts: {
    type: ['string', 'array'],
    pattern: FILE_PATH.pattern,
    items: FILE_PATH,
    minItems: 1,
    description: 'the path of a known_hosts file, or a list of such paths',
  },
  jump: {
    type: ['string', 'array'],
    pattern: HOP_PATTERN,
    items: HOP,
    minItems: 1,
    description: 'a jump host such as ops@bastion, a list of them (the first is reached from here), or the word none',
  },
  handshakes: {
    type: 'integer',
    minimum: 1,
    description: 'the number of nodes behind one jump host that log in at a time, 1 or more',
  },
  connection: {
    type: 'string',
    enum: ['openssh'],
    description: "the word openssh: the system's ssh makes the connection; absent, we do",
  },
  algorithms: {
    type: ['string', 'object'],
    pattern: '^legacy$',
    properties: {
      key_exchange: listOf(OLD_ALGORITHMS.key_exchange),
      ciphers: listOf(OLD_ALGORITHMS.ciphers),
      host_keys: listOf(OLD_ALGORITHMS.host_keys),
      macs: listOf(OLD_ALGORITHMS.macs),
    },
    additionalProperties: false,
    description: 'the word legacy (all that old servers may need), or a map such as { ciphers: [aes128-cbc] }',
  },
  config: {
    ...FILE_PATH,
    description: 'the path of a file of ssh_config(5) that is asked about what is not said here, such as ~/.ssh/config',
  },
} as const

/** Up to 99h: a timer of Node that is set to more than 24 days fires at once. */
export const DURATION = {
  type: 'string',
  pattern: '^([1-9][0-9]{0,3}[sm]|[1-9][0-9]?h)$',
  description: 'a duration such as 30s, 10m or 1h (up to 9999s, 9999m, 99h)',
} as const

export const PERCENT = {
  type: 'string',
  pattern: '^(100|[1-9]?[0-9])%$',
  description: 'a share such as 50%',
} as const
