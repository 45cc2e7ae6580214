// A revoked rule ends the connections that it let in where the profile is hardened, and does not where it is compatible:
// the same connections to a, whose node nc-01 is compatible, and to c, whose node nc-02 is hardened.

import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { Machine } from '../../lab/boot-machine.ts'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { counter } from './counter.ts'
import { idOf } from './packets.ts'
import { mustPush } from './push.ts'
import { sendUdp } from './send-udp.ts'
import { describeLab } from './with-lab.ts'

/** a and c serve; b and d ask them from their own node, e from another. */
const world: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('b')]: { node: 'nc-01', groups: ['sg-bbbbbbbb'], public: true },
    [idOf('c')]: { node: 'nc-02', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('d')]: { node: 'nc-02', groups: ['sg-bbbbbbbb'], public: true },
    [idOf('e')]: { node: 'nc-03', groups: ['sg-bbbbbbbb'] },
  },
  groups: {
    'sg-aaaaaaaa': [
      'tcp 22 from anywhere',
      'udp 53 from anywhere',
      'tcp 3306 from sg-bbbbbbbb',
      'tcp 8005 from sg-bbbbbbbb',
      'tcp 8000-8010 from 10.111.200.0/24',
    ],
    'sg-bbbbbbbb': ['tcp 80 from sg-aaaaaaaa'],
  },
}

const servers = [idOf('a'), idOf('c')]

const withRules = (rules: readonly string[]): World => ({ ...world, groups: { ...world.groups, 'sg-aaaaaaaa': rules } })

/** These are in sg-cccccccc instead, which has these rules. */
function moved(ids: readonly string[], rules: readonly string[]): World {
  const instances = Object.entries(world.instances).map(([id, instance]) => {
    return [id, ids.includes(id) ? { ...instance, groups: ['sg-cccccccc'] } : instance] as const
  })
  return { instances: Object.fromEntries(instances), groups: { ...world.groups, 'sg-cccccccc': rules } }
}

describeLab('what a revoked rule had let in', () => {
  let lab: Lab
  const vm = (letter: string): Machine => {
    const machine = lab.machines.get(idOf(letter))
    if (!machine) throw new Error(`${letter} is not running`)
    return machine
  }
  const publicOf = (letter: string) => lab.instance(idOf(letter)).publicAddress ?? ''
  const privateOf = (letter: string) => lab.instance(idOf(letter)).address

  beforeAll(async () => {
    lab = await startLab({ nodes: 3, world })
    const inventory = await readFile(lab.files.inventory, 'utf8')
    const hardened = inventory.replace(/(nc-02: \{.*) \}/, '$1, profile: hardened }')
    expect(hardened).not.toBe(inventory)
    await writeFile(lab.files.inventory, hardened)
    await mustPush(lab)
    await Promise.all(Object.keys(world.instances).map((id) => lab.boot(id)))
  })
  beforeEach(() => change(world))
  afterAll(() => lab?.stop())

  async function change(to: World): Promise<void> {
    await lab.publish(to)
    await mustPush(lab)
  }

  /** Opens these connections (`from to port`), changes the world, and tells which of them still work. */
  async function survivors(flows: readonly string[], to: World): Promise<readonly string[]> {
    const open = async (flow: string) => {
      const [from = '', target = '', port] = flow.split(' ')
      const kept = await (from === 'outside' ? lab.outside : vm(from)).hold(addressOf(target), Number(port))
      expect(kept.reached, flow).toBe(true)
      return { flow, ...kept }
    }
    const kept = await Promise.all(flows.map(open))
    await change(to)
    const alive = await Promise.all(kept.map(async ({ again }) => (await again({ timeout: 700 })).reached))
    await Promise.all(kept.map(({ close }) => close()))
    return flows.filter((_, index) => alive[index])
  }

  function addressOf(target: string): string {
    if (target === 'outside') return lab.plan.outside.address
    if (target === 'metadata') return '169.254.169.254'
    return target.startsWith('eip-') ? publicOf(target.slice(-1)) : privateOf(target)
  }

  it('is cut with the rule, wherever it comes from; compatible lets it live', async () => {
    const toA = ['outside eip-a 22', 'outside a 22', 'b a 3306', 'e a 3306', 'b eip-a 8010']
    const toC = ['outside eip-c 22', 'outside c 22', 'd c 3306', 'e c 3306', 'd eip-c 8010']
    expect(await survivors([...toA, ...toC], withRules([]))).toEqual(toA)
  })

  it('is cut when one of its two ends leaves the group; compatible lets it live', async () => {
    expect(await survivors(['e a 3306', 'e c 3306'], moved([idOf('e')], []))).toEqual(['e a 3306'])
    await change(world)
    const flows = ['outside eip-a 22', 'e a 3306', 'outside eip-c 22', 'e c 3306']
    expect(await survivors(flows, moved(servers, []))).toEqual(['outside eip-a 22', 'e a 3306'])
  })

  it('is cut although a rule for elastic IPs still names its port, and what went to the elastic IP is not', async () => {
    const toA = ['b a 8005', 'b eip-a 8005']
    const toC = ['d c 8005', 'd eip-c 8005']
    expect(await survivors([...toA, ...toC], withRules(['tcp 8000-8010 from 10.111.200.0/24']))).toEqual([
      ...toA,
      'd eip-c 8005',
    ])
  })

  it('goes on when another rule or group lets it in; what an instance opened itself goes on, too', async () => {
    const inward = ['outside eip-a 22', 'outside eip-c 22', 'outside c 22', 'd c 3306', 'e c 3306', 'd eip-c 8005']
    const outward = ['c outside 443', 'c metadata 80', 'c d 80', 'c e 80', 'c eip-d 80']
    const same = moved(servers, ['tcp 3306 from sg-bbbbbbbb', 'tcp 1-9999 from anywhere'])
    const to = { ...same, groups: { ...same.groups, 'sg-bbbbbbbb': ['tcp 80 from sg-cccccccc'] } }
    expect(await survivors([...inward, ...outward], to)).toEqual([...inward, ...outward])
  })

  it('is not heard any more: neither more of its data nor another datagram arrives', async () => {
    const kept = [await lab.outside.hold(publicOf('a'), 22), await lab.outside.hold(publicOf('c'), 22)]
    const datagrams = async () => {
      for (const letter of ['a', 'c']) await sendUdp(lab.outside, { to: publicOf(letter), port: 53, sourcePort: 4000 })
    }
    const answers = await counter(lab.outside, '-p udp --sport 53 --dport 4000')
    await datagrams()
    await vi.waitFor(async () => expect(await answers()).toBe(2), { timeout: 5_000 })

    await change(withRules([]))
    const outside = `-s ${lab.plan.outside.address}`
    const [toA, toC] = [await counter(vm('a'), outside), await counter(vm('c'), outside)]
    expect(await Promise.all(kept.map(async ({ again }) => (await again({ timeout: 700 })).reached))).toEqual([
      true,
      false,
    ])
    await datagrams()
    await vi.waitFor(async () => expect(await answers()).toBe(3), { timeout: 5_000 })
    expect(await toA()).toBeGreaterThan(2)
    expect(await toC()).toBe(0)
    await Promise.all(kept.map(({ close }) => close()))
  })
  it('was let in by us: what others let through goes on where they decide on its first packet only', async () => {
    const { clc, router, outside } = lab
    const [asked, asking] = [lab.plan.clc.address, lab.plan.outside.address]
    for (const name of ['nc-01', 'nc-02']) {
      const node = lab.node(name)
      await node.run(`for file in /proc/sys/net/ipv4/conf/*/send_redirects; do echo 0 > "$file"; done
        iptables -P FORWARD DROP
        iptables -A EUCA_FILTER_FWD_POSTUSERHOOK -m conntrack --ctstate NEW -d ${asked} -j ACCEPT`)
      const passed = await counter(node, `-s ${asking} -d ${asked} -p tcp --dport 8773`)
      await router.run(`ip route replace ${asked} via ${node.address}`)
      await clc.run(`ip route replace ${asking} via ${node.address}`)
      expect(await outside.tcp(asked, 8773), name).toMatchObject({ reached: true, source: asking })
      expect(await passed()).toBeGreaterThan(2)
      await router.run(`ip route del ${asked}`)
      await clc.run(`ip route del ${asking}`)
    }
  })
})
