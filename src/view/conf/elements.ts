/** The parts of a document, made of what a list says. */

import { element, type Line, property } from '../wire34/element.ts'
import type { XmlElement } from '../xml.ts'
import type { ConfDemands } from './demands.ts'
import type { InstanceList, ListedInstance } from './instance-list.ts'
import type { Given, Network } from './networks.ts'

/** Owners are for display, and a list need not say them. */
const NOBODY = '000000000000'

export function toCluster(
  { name, controller, nodes }: InstanceList['clusters'][number],
  prefix: string | undefined,
  network: Network,
  { instances }: InstanceList,
): XmlElement {
  const parts = nodes.map((node) => {
    const own = instances.filter((instance) => instance.node.text === node.text && isPlaced(instance, network))
    const ids = own.map(({ id }) => element('value', id, id.text))
    return element('node', node, '', [element('instanceIds', node, '', ids)], node.text)
  })
  return element(
    'cluster',
    name,
    '',
    [
      property('enabledCCIp', controller, [controller]),
      ...(prefix === undefined ? [] : [property('macPrefix', name, [prefix])]),
      ...network.ofCluster,
      element('property', name, '', parts, 'nodes'),
    ],
    name.text,
  )
}

/** An address that somebody else gives out need not be known; who has none is in no view. */
function isPlaced(instance: ListedInstance, network: Network): boolean {
  return network.given(instance).address !== undefined
}

export function toInstance(
  { id, owner, publicAddress, groups }: ListedInstance,
  { mac, address }: Given,
  prefix: string | undefined,
  kind: ConfDemands['network'],
): readonly XmlElement[] {
  if (!address && kind === 'foreign') return []
  const own = mac ?? (prefix === undefined ? undefined : macOf(id, prefix))
  return [
    element(
      'instance',
      id,
      '',
      [
        property('ownerId', owner ?? id, [owner ?? NOBODY]),
        ...(own ? [property('macAddress', own, [own])] : []),
        ...(address ? [property('privateIp', address, [address])] : []),
        ...(publicAddress && kind === 'segments' ? [property('publicIp', publicAddress, [publicAddress])] : []),
        element(
          'securityGroups',
          id,
          '',
          kind === 'segments' ? groups.map((group) => element('value', group, group.text)) : [],
        ),
      ],
      id.text,
    ),
  ]
}

/** As the original makes it of the eight digits of an id. */
function macOf(id: Line, prefix: string): Line | undefined {
  const [, digits = ''] = /^i-([0-9A-Fa-f]{8})$/.exec(id.text) ?? []
  return digits === '' ? undefined : { ...id, text: [prefix, ...(digits.match(/../g) ?? [])].join(':') }
}

export function toGroup({ name, owner, rules }: InstanceList['groups'][number]): XmlElement {
  return element(
    'securityGroup',
    name,
    '',
    [
      property('ownerId', owner ?? name, [owner ?? NOBODY]),
      element(
        'rules',
        name,
        '',
        rules.map((rule) => element('value', rule, rule.text)),
      ),
    ],
    name.text,
  )
}
