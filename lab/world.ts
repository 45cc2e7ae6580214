// What a test says about a cloud: who runs where and which packets its groups let in. Plain data, so a change is a
// spread: { ...world, instances: { ...world.instances, 'i-0f0f0f0f': { node: 'nc-01', groups: ['sg-aaaaaaaa'] } } }

export interface World {
  /** By instance id, i-xxxxxxxx. */
  readonly instances: Readonly<Record<string, Instance>>
  /** By group id, sg-xxxxxxxx: the ingress rules in their order. */
  readonly groups: Readonly<Record<string, readonly Rule[]>>
}

interface Instance {
  readonly node: string
  readonly groups: readonly string[]
  /** true: an elastic IP of the lab's choice; or this one; absent: none. */
  readonly public?: true | string
  /** The lab's choice if absent, the same for an id as long as the lab lives. */
  readonly address?: string
  /** d0:0d and the digits of the id if absent. */
  readonly mac?: string
}

/**
 * `<what> from <whom>`: what is tcp, udp (all ports), tcp 22, tcp 8000-8010, icmp, icmp 8, icmp 8/0 or the number of
 * a protocol; whom is anywhere, an address, a CIDR or a group's id.
 */
export type Rule = string

/** Five instances on three nodes: web servers, a database that only they may ask, and one that nobody may. */
export function sampleWorld(nodes: readonly string[]): World {
  const on = (index: number) => nodes[index % nodes.length] ?? 'nc-01'
  return {
    instances: {
      'i-0a0a0a0a': { node: on(0), groups: ['sg-aaaaaaaa'], public: true },
      'i-0b0b0b0b': { node: on(1), groups: ['sg-aaaaaaaa'], public: true },
      'i-0c0c0c0c': { node: on(2), groups: ['sg-bbbbbbbb'] },
      'i-0d0d0d0d': { node: on(0), groups: ['sg-bbbbbbbb'] },
      'i-0e0e0e0e': { node: on(1), groups: ['sg-cccccccc'], public: true },
    },
    groups: {
      'sg-aaaaaaaa': ['tcp 22 from anywhere', 'tcp 80 from anywhere', 'icmp from anywhere'],
      'sg-bbbbbbbb': ['tcp 3306 from sg-aaaaaaaa', 'udp 53 from 10.0.0.0/8'],
      'sg-cccccccc': [],
    },
  }
}
