/**
 * The shape of a cloud's network configuration document, all versions together; closed, as it is for the cloud. Which of
 * it belongs to which mode is for the modes to say.
 */

import type { JSONSchema } from 'json-schema-to-ts'

const ADDRESS = { type: 'string', format: 'ipv4', description: 'an IPv4 address such as 10.20.0.10' } as const
const CIDR = { type: 'string', format: 'ipv4-network', description: 'a network such as 198.51.100.0/25' } as const
const RANGES = {
  type: 'array',
  items: {
    type: 'string',
    format: 'ipv4-range',
    description: 'an IPv4 address or a range of them such as 10.20.1.10-10.20.1.99, its lower end first',
  },
  description: 'a list of addresses and ranges such as [10.20.1.1, 10.20.1.10-10.20.1.99]',
} as const
const NAME = { type: 'string', minLength: 1, description: 'a name' } as const
const HOST = {
  type: 'string',
  pattern: '^[A-Za-z0-9]([A-Za-z0-9._-]{0,253}[A-Za-z0-9])?$',
  description: 'a host name or an address',
} as const
const INTERFACE = { type: 'string', minLength: 1, description: 'the name of an interface' } as const
const MAC_PREFIX = {
  type: 'string',
  pattern: '^[0-9a-fA-F]{2}:[0-9a-fA-F]{2}$',
  description: 'the first two bytes of MAC addresses such as "d0:0d"',
} as const

/** As the cloud takes it: a number, or a number in quotes. */
const NUMBER = { type: ['integer', 'string'], pattern: '^[0-9]+$', description: 'a whole number' } as const
const ASN = { ...NUMBER, description: 'the number of an autonomous system, 1 to 4294967295' } as const

const SUBNET_KEYS = { Name: NAME, Subnet: ADDRESS, Netmask: ADDRESS, Gateway: ADDRESS } as const

const GATEWAY = {
  type: 'object',
  properties: {
    GatewayHost: HOST,
    GatewayIP: ADDRESS,
    GatewayInterface: INTERFACE,
    Ip: ADDRESS,
    ExternalCidr: CIDR,
    ExternalDevice: INTERFACE,
    ExternalIp: ADDRESS,
    ExternalRouterIp: ADDRESS,
    BgpPeerIp: ADDRESS,
    BgpPeerAsn: ASN,
    BgpAdRoutes: { type: 'array', items: CIDR, description: 'a list of networks such as [203.0.113.128/27]' },
  },
  additionalProperties: false,
  description: 'a map of one gateway',
} as const

export const NETWORK_CONFIGURATION_SCHEMA = {
  type: 'object',
  properties: {
    Mode: { type: 'string', description: 'the name of a mode' },
    InstanceDnsDomain: {
      type: 'string',
      pattern: '^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?([.][A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*[.]?$',
      description: 'a domain such as eucalyptus.internal',
    },
    InstanceDnsServers: { type: 'array', items: ADDRESS, description: 'a list of addresses such as [10.20.0.10]' },
    MacPrefix: MAC_PREFIX,
    PublicIps: RANGES,
    PrivateIps: RANGES,
    PublicGateway: ADDRESS,
    Subnets: {
      type: 'array',
      items: {
        type: 'object',
        required: ['Subnet', 'Netmask', 'Gateway'],
        properties: SUBNET_KEYS,
        additionalProperties: false,
        description: 'a map such as { Subnet: 10.20.0.0, Netmask: 255.255.0.0, Gateway: 10.20.0.1 }',
      },
      description: 'a list of subnets',
    },
    ManagedSubnet: {
      type: 'object',
      required: ['Subnet', 'Netmask'],
      properties: {
        Name: NAME,
        Subnet: ADDRESS,
        Netmask: ADDRESS,
        MinVlan: NUMBER,
        MaxVlan: NUMBER,
        SegmentSize: NUMBER,
      },
      additionalProperties: false,
      description: 'a map such as { Subnet: 172.18.0.0, Netmask: 255.255.0.0, SegmentSize: 32 }',
    },
    Clusters: {
      type: 'array',
      items: {
        type: 'object',
        required: ['Name'],
        properties: {
          Name: NAME,
          MacPrefix: MAC_PREFIX,
          Subnet: {
            type: 'object',
            properties: SUBNET_KEYS,
            additionalProperties: false,
            description: 'a subnet as in Subnets, or the name of one, { Name: rack-a }',
          },
          PrivateIps: RANGES,
        },
        additionalProperties: false,
        description: 'a map such as { Name: az-one }',
      },
      description: 'a list of clusters',
    },
    Mido: {
      type: 'object',
      properties: {
        EucanetdHost: HOST,
        GatewayHost: HOST,
        GatewayIP: ADDRESS,
        GatewayInterface: INTERFACE,
        PublicNetworkCidr: CIDR,
        PublicGatewayIP: ADDRESS,
        BgpAsn: ASN,
        Gateways: { type: 'array', items: GATEWAY, description: 'a list of gateways, 1 to 6' },
      },
      additionalProperties: false,
      description: 'a map of gateways',
    },
  },
  additionalProperties: false,
  description: 'a network configuration: a map with keys such as PublicIps and Clusters',
} as const satisfies JSONSchema
