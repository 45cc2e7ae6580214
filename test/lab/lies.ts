// What a machine may say to its neighbours, and the lies it may tell about who it is. The machine is a; b is its neighbour
// of the same group, c one of another, d one of the same group on another node. The ghost is in a port that no view knows.

import { vi } from 'vitest'
import type { Machine } from '../../lab/boot-machine.ts'
import type { Lab } from '../../lab/make-lab.ts'
import type { Station } from '../../lab/probes-from.ts'
import { arp, datagram, everybody, frame, ipv6, type Listener, listen, type Name, sendFrames } from './frames.ts'
import { idOf, machineOf } from './packets.ts'

/** Those of a profile, or none: then all that is said is heard, or it would prove nothing that it is not. */
export type BridgeRules = 'compatible' | 'hardened' | 'none'

type Ear = 'b' | 'c' | 'd' | 'node' | 'ghost'

interface Saying {
  readonly what: string
  readonly from: 'a' | 'ghost'
  /** Its frame holds the mark, by which it is known when it is overheard. */
  readonly frame: (mark: string) => Buffer
  /** Where it could be heard. */
  readonly at: readonly Ear[]
  /** Whether it is to be: always, never, or with the rules of one profile. */
  readonly heard: boolean | BridgeRules
}

const ghostId = 'i-99999999'
const longEnough = 2_000
const nobody = '00:00:00:00:00:00'

/** Plugs a machine into nc-01 of which, by the next push, the view knows nothing any more. */
export async function plugGhost(lab: Lab): Promise<void> {
  const world = lab.world()
  const ghost = { node: 'nc-01', groups: Object.keys(world.groups).slice(0, 1) }
  await lab.publish({ ...world, instances: { ...world.instances, [ghostId]: ghost } })
  await lab.boot(ghostId, { dhcp: false })
  await lab.publish(world)
}

/** Says all of it, and tells what was heard that is not to be, and not heard that is. */
export async function tellLies(lab: Lab, rules: BridgeRules): Promise<readonly string[]> {
  const [a, ghost] = [machineOf(lab, 'a'), lab.machines.get(ghostId)]
  if (!ghost) throw new Error('no ghost is plugged in')
  const ears = await openEars(lab, ghost)
  const sayings = sayingsOf(lab, ghost).map((saying, index) => ({ ...saying, mark: `saying-${index}.` }))
  await introduce(lab)
  const framesOf = (some: readonly (Saying & { mark: string })[]) => some.map(({ frame, mark }) => frame(mark))

  // Last what is always heard: lies that have not arrived before it never do.
  const honest = sayings.filter(({ heard }) => heard === true)
  const lies = sayings.filter(({ heard }) => heard !== true)
  await sendFrames(ghost, 'eth0', framesOf(lies.filter(({ from }) => from === 'ghost')))
  await sendFrames(a, 'eth0', framesOf(lies.filter(({ from }) => from === 'a')))
  await introduce(lab)
  await sendFrames(a, 'eth0', framesOf(honest))
  const expected = sayings.map((saying) => {
    return { ...saying, isToBe: rules === 'none' || saying.heard === true || saying.heard === rules }
  })
  const haveArrived = () =>
    expected.every(({ at, mark, isToBe }) => !isToBe || at.every((ear) => ears[ear].hasHeard(mark)))
  await vi.waitUntil(haveArrived, { timeout: longEnough, interval: 10 }).catch(() => undefined)

  for (const ear of Object.values(ears)) ear.stop()
  // Whoever believed a lie is to forget it.
  const believers = [...lab.machines.values(), ...lab.nodes]
  await Promise.all(believers.map((host) => host.run('ip neigh flush all')))
  return expected.flatMap(({ what, at, mark, isToBe }) => {
    const wrong = at.filter((ear) => ears[ear].hasHeard(mark) !== isToBe)
    return wrong.map((ear) => `${what}: ${isToBe ? 'not heard' : 'heard'} by ${ear}`)
  })
}

/** Everybody speaks once, for bridges to know who is where, whatever a lie has taught them. */
async function introduce(lab: Lab): Promise<void> {
  const machines = [...lab.machines.values()].filter(({ id }) => id !== ghostId)
  const introductions = machines.map(async ({ id, mac }, index) => {
    const whom = lab.instance(machines.at(index - 1)?.id ?? '').address
    const asked = arp('request', { mac, address: lab.instance(id).address }, { mac: nobody, address: whom }, '')
    await sendFrames(machineOf(lab, id.slice(-1)), 'eth0', [frame(mac, everybody, 0x0806, asked)])
  })
  await Promise.all(introductions)
}

async function openEars(lab: Lab, ghost: Machine): Promise<Readonly<Record<Ear, Listener>>> {
  const at = (station: Station, device = 'eth0') => listen(station, device, 'saying-')
  const [b, c, d, unknown, node] = await Promise.all([
    at(machineOf(lab, 'b')),
    at(machineOf(lab, 'c')),
    at(machineOf(lab, 'd')),
    at(ghost),
    at(lab.node('nc-01'), 'br0'),
  ])
  return { b, c, d, ghost: unknown, node }
}

function sayingsOf(lab: Lab, unknown: Machine): readonly Saying[] {
  const named = (letter: string): Name => lab.instance(idOf(letter))
  const [a, b, c, d] = [named('a'), named('b'), named('c'), named('d')]
  const gateway = lab.plan.clusters[0]?.gateway ?? ''
  const node = { mac: lab.node('nc-01').bridgeMac, address: gateway }
  const stranger = { mac: '02:66:66:66:66:66', address: a.address }
  const ghost = { mac: unknown.mac, address: d.address }

  // Each from a port of its own: of two first packets of one flow, conntrack may drop one.
  let port = 40_000
  const free = (): number => {
    port += 1
    return port
  }
  const udp = (from: Name, to: Name, ports: readonly [number, number] = [free(), 9]) => {
    return (mark: string) => frame(from.mac, to.mac, 0x0800, datagram(from.address, to.address, ports, mark))
  }
  const request = (from: Name, whom: Name) => (mark: string) =>
    frame(from.mac, everybody, 0x0806, arp('request', from, { mac: nobody, address: whom.address }, mark))
  const reply = (ether: string, from: Name, to: Name) => (mark: string) =>
    frame(ether, to.mac, 0x0806, arp('reply', from, to, mark))
  const announcement = (from: Name) => reply(from.mac, from, { mac: everybody, address: from.address })
  const all = { mac: everybody, address: '255.255.255.255' }
  const asking = { mac: a.mac, address: '0.0.0.0' }

  const says = (what: string, frame: Saying['frame'], at: readonly Ear[], heard: Saying['heard'] = false): Saying => {
    return { what, from: 'a', frame, at, heard }
  }
  const fromGhost = (saying: Saying): Saying => ({ ...saying, from: 'ghost' })
  return [
    says('UDP to a neighbour of the group', udp(a, b), ['b'], true),
    says('UDP to a member on another node', udp(a, d), ['d'], true),
    says('an ARP request, by whom it is for', request(a, b), ['b'], true),
    says('an ARP request to c, by c', request(a, c), ['c'], true),
    says('an ARP request, by whom it is not for', request(a, b), ['c', 'd', 'ghost']),
    says('an ARP reply', reply(a.mac, a, b), ['b'], true),
    says('a DHCP request, by the node', udp(asking, all, [68, 67]), ['node'], true),
    says('a DHCP request, by neighbours', udp(asking, all, [68, 67]), ['b', 'c', 'd', 'ghost']),

    says('UDP from the address of d', udp({ ...a, address: d.address }, b), ['b']),
    says('UDP from the address of b', udp({ ...a, address: b.address }, d), ['d']),
    says('UDP from the address of the gateway', udp({ ...a, address: gateway }, b), ['b']),
    says('UDP under the MAC of the node', udp({ ...a, mac: node.mac }, b), ['b']),
    says('UDP under a MAC of nobody', udp(stranger, b), ['b']),
    says('ARP request: I am the gateway', request({ ...a, address: gateway }, b), ['b']),
    says('ARP reply: I am the gateway', reply(a.mac, { ...a, address: gateway }, b), ['b']),
    says('ARP reply: I am d', reply(a.mac, { ...a, address: d.address }, b), ['b']),
    says('ARP reply to the node: I am b', reply(a.mac, { ...a, address: b.address }, node), ['node']),
    says('ARP reply: my MAC is that of nobody', reply(a.mac, stranger, b), ['b']),
    says('ARP announcement: I am c', announcement({ ...a, address: c.address }), ['b', 'd', 'node']),
    says('a DHCP offer to a neighbour', udp(a, b, [67, 68]), ['b'], 'compatible'),
    says('a DHCP offer to another node', udp(a, d, [67, 68]), ['d'], 'compatible'),
    says('a DHCP offer to everybody', udp(a, all, [67, 68]), ['b', 'd', 'ghost']),
    says('a DHCP offer under the MAC of the node', udp({ ...a, mac: node.mac }, all, [67, 68]), ['b', 'd']),
    says(
      'to the port of DHCP from the address of d',
      udp({ ...a, address: d.address }, b, [free(), 68]),
      ['b'],
      'compatible',
    ),
    says('IPv6', (mark) => frame(a.mac, b.mac, 0x86dd, ipv6(mark)), ['b']),
    says('a protocol of nobody', (mark) => frame(a.mac, b.mac, 0x88b5, Buffer.from(mark)), ['b']),
    says('UDP to the ghost', udp(a, { ...ghost, address: '192.0.2.99' }), ['ghost']),
    // The last lie: it takes b's frames away from b.
    says('UDP under the MAC of b', udp({ ...a, mac: b.mac }, d), ['d']),
    fromGhost(says('the ghost: UDP', udp(ghost, b), ['b'])),
    fromGhost(says('the ghost: under the name of a', udp(a, b), ['b'])),
    fromGhost(says('the ghost: ARP request', request(ghost, b), ['b'])),
    fromGhost(says('the ghost: DHCP request', udp({ ...ghost, address: '0.0.0.0' }, all, [68, 67]), ['node', 'b'])),
  ]
}
