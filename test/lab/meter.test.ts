// What edgepush meter tells is what was sent: by packets and bytes, across pushes, in every form that somebody reads.

import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import type { Machine } from '../../lab/boot-machine.ts'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { type Count, csvRows, metersIn, openMetricsSamples } from './meters.ts'
import { idOf } from './packets.ts'
import { mustPush } from './push.ts'
import { HEADERS, sendUdp } from './send-udp.ts'
import { describeLab } from './with-lab.ts'

const world: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('b')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('c')]: { node: 'nc-02', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('d')]: { node: 'nc-02', groups: ['sg-bbbbbbbb'] },
  },
  groups: { 'sg-aaaaaaaa': ['udp 5000 from 192.0.2.7'], 'sg-bbbbbbbb': [] },
}

const net = '/run/eucalyptus/net'
const udp = (packets: number, size: number): readonly [packets: number, bytes: number] => [
  packets,
  packets * (size + HEADERS),
]
const nothing = udp(0, 0)

describeLab('edgepush meter', () => {
  let lab: Lab
  const vm = (letter: string): Machine => {
    const machine = lab.machines.get(idOf(letter))
    if (!machine) throw new Error(`${letter} is not running`)
    return machine
  }
  const publicOf = (letter: string) => lab.instance(idOf(letter)).publicAddress ?? ''
  const privateOf = (letter: string) => lab.instance(idOf(letter)).address
  const file = (node: string, name: string) => lab.node(node).run(`cat ${net}/${name}`)

  async function meter(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await lab.edgepush(['meter', 'push.yml', ...args])
    expect(code, stderr).toBe(0)
    return stdout
  }
  const counts = async (): Promise<Readonly<Record<string, Count>>> => metersIn(await meter('--json'))

  beforeAll(async () => {
    lab = await startLab({ nodes: 2, world })
    await mustPush(lab)
    await Promise.all(Object.keys(world.instances).map((id) => lab.boot(id)))
    // An answer would count, too.
    const mute = 'iptables -t raw -A PREROUTING -p udp --dport 5000:6000 -j DROP'
    await Promise.all([lab.outside, ...lab.machines.values()].map((host) => host.run(mute)))
  })
  afterAll(() => lab?.stop())

  it('tells packets and bytes of each instance as they were sent, and counts nothing that was dropped as come in', async () => {
    await sendUdp(lab.outside, { to: publicOf('a'), port: 6000, count: 7 })
    await sendUdp(vm('d'), { to: privateOf('a'), port: 5000, count: 3 })
    await sendUdp(lab.outside, { to: privateOf('b'), port: 6000, count: 20 })
    await sendUdp(lab.outside, { to: publicOf('a'), port: 5000, count: 10, size: 100 })
    await sendUdp(vm('a'), { to: lab.plan.outside.address, port: 5000, count: 5, size: 50 })
    await sendUdp(vm('a'), { to: privateOf('c'), port: 5000, count: 4, size: 20 })
    await sendUdp(vm('b'), { to: privateOf('a'), port: 5000, count: 2, size: 30 })
    await sendUdp(vm('b'), { to: publicOf('c'), port: 5500, count: 6, size: 40 })

    const expected = {
      'a public': { in: udp(10, 100), out: udp(5, 50) },
      'a private': { in: udp(2, 30), out: udp(4, 20) },
      'b public': { in: nothing, out: udp(6, 40) },
      'b private': { in: nothing, out: udp(2, 30) },
      'c public': { in: udp(6, 40), out: nothing },
      'c private': { in: udp(4, 20), out: nothing },
    }
    await vi.waitFor(async () => expect(await counts()).toEqual(expected), { timeout: 5_000, interval: 100 })

    const dropped = await lab.node('nc-01').run(`iptables-save -c | grep 'DROPPED -d ${privateOf('a')}/32'`)
    expect(dropped).toMatch(/^\[3:\d+\] .* --match-set EUCA_ALLPRIVATE src\n\[7:\d+\] .* ! --match-set/)
    expect(await lab.node('nc-01').run('iptables-save -c -t raw')).toMatch(
      new RegExp(`^\\[17:\\d+\\] -A EUCA_COUNTERS_IN -d ${publicOf('a')}/32$`, 'm'),
    )
  })

  it("leaves the node's files as eucanetd writes them", async () => {
    const [head, ...rows] = (await file('nc-01', 'edge_netmeter')).trimEnd().split('\n')
    expect(head).toBe('time,instance,ipaddr,type,pktin,bytesin,pktout,bytesout')
    for (const row of rows) expect(row).toMatch(/^\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d,i-\w{8},[\d.]+,(pub|priv)(,\d+){4}$/)
    expect(rows.map((row) => row.split(',').slice(1).join(','))).toEqual([
      `i-0a0a0a0a,${publicOf('a')},pub,10,1280,5,390`,
      `i-0a0a0a0a,${privateOf('a')},priv,2,116,4,192`,
      `i-0b0b0b0b,${publicOf('b')},pub,0,0,6,408`,
      `i-0b0b0b0b,${privateOf('b')},priv,0,0,2,116`,
    ])

    const sensors = (await file('nc-01', 'eucanetd_getstats_net.out')).trimEnd().split('\n')
    for (const line of sensors) {
      expect(line).toMatch(/^i-\w{8}\t\d{13}\tNetwork(In|Out)External\tsummation\tdefault\t\d+$/)
    }
    expect(sensors.map((line) => line.replace(/\t\d{13}\t/, ' ').replace(/\tsummation\tdefault\t/, ' '))).toEqual([
      'i-0a0a0a0a NetworkInExternal 1280',
      'i-0a0a0a0a NetworkOutExternal 390',
      'i-0b0b0b0b NetworkInExternal 0',
      'i-0b0b0b0b NetworkOutExternal 408',
    ])
    expect(await lab.node('nc-01').run(`stat -c %a ${net}/edge_netmeter ${net}/eucanetd_getstats_net.out`)).toBe(
      '644\n644\n',
    )
  })

  it('tells the same as a table, as CSV and as OpenMetrics', async () => {
    const known = await counts()
    expect(csvRows(await meter('--format', 'csv'))).toEqual(known)
    expect(openMetricsSamples(await meter('--format', 'openmetrics'))).toEqual(known)
    expect(await meter()).toMatch(
      new RegExp(`^nc-01 +i-0a0a0a0a +${publicOf('a')} +public +10 +1280 +5 +390$`.replaceAll('.', '\\.'), 'm'),
    )
  })

  it('goes on counting across a push that changes rules beside it, and one that moves instances between groups', async () => {
    const before = await counts()
    const e = { [idOf('e')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true } } as const
    const more = { ...world.groups, 'sg-aaaaaaaa': ['udp 5000 from 192.0.2.7', 'tcp 22 from anywhere'] }
    await lab.publish({ instances: { ...world.instances, ...e }, groups: more })
    // The view knows the new one already, the node does not.
    expect(await counts()).toEqual(before)
    expect(await mustPush(lab)).toMatchObject({ 'nc-01': 'converged' })
    const fresh = { in: nothing, out: nothing }
    expect(await counts()).toEqual({ ...before, 'e public': fresh, 'e private': fresh })

    const moved = { [idOf('a')]: { node: 'nc-01', groups: ['sg-bbbbbbbb'], public: true } } as const
    await lab.publish({
      instances: { ...world.instances, ...moved },
      groups: { 'sg-aaaaaaaa': [], 'sg-bbbbbbbb': ['udp 5000 from 192.0.2.7'] },
    })
    expect(await mustPush(lab)).toMatchObject({ 'nc-01': 'converged' })
    expect(await counts()).toEqual(before)

    await sendUdp(lab.outside, { to: publicOf('a'), port: 5000, size: 100 })
    const later = { ...before['a public'], in: udp(11, 100) }
    await vi.waitFor(async () => expect(await counts()).toEqual({ ...before, 'a public': later }), { timeout: 5_000 })
  })

  it('keeps the last word on an instance that is gone, once', async () => {
    const done = () => file('nc-01', 'edge_netmeter_done')
    // The one that came and went in the test before.
    expect((await done()).split('\n').filter((line) => line.includes('i-0b0b0b0b'))).toEqual([])
    const lines = (await file('nc-01', 'edge_netmeter')).split('\n').filter((line) => line.includes('i-0b0b0b0b'))
    expect(lines).toHaveLength(2)

    await vm('b').stop()
    const { [idOf('b')]: _, ...rest } = lab.world().instances
    await lab.publish({ ...lab.world(), instances: rest })
    await mustPush(lab)
    expect(Object.keys(await counts())).not.toContain('b public')
    expect((await done()).split('\n').filter((line) => line.includes('i-0b0b0b0b'))).toEqual(lines)

    const once = await done()
    await meter()
    await meter()
    expect(await done()).toBe(once)
    expect(await file('nc-01', 'edge_netmeter')).not.toContain('i-0b0b0b0b')
  })
  // d has no elastic IP: what it sends to one is from another instance, and to the public address all the same.
  const drop = async () => {
    await sendUdp(vm('d'), { to: publicOf('a'), port: 6000, count: 40 })
    await sendUdp(vm('d'), { to: privateOf('a'), port: 6000, count: 5 })
    await sendUdp(lab.outside, { to: publicOf('a'), port: 6000, count: 7 })
    await sendUdp(lab.outside, { to: privateOf('a'), port: 6000, count: 20 })
    await sendUdp(lab.outside, { to: publicOf('a'), port: 5000, count: 2, size: 100 })
    await sendUdp(lab.outside, { to: privateOf('a'), port: 5000, count: 3, size: 50 })
  }
  const both = (sent: Readonly<Record<string, Count>>) =>
    (sent['a public']?.in[0] ?? 0) + (sent['a private']?.in[0] ?? 0)

  it('knows at least the sum where it cannot tell to which address came what was dropped', async () => {
    const { [idOf('d')]: d, ...rest } = lab.world().instances
    await lab.publish({
      instances: { ...rest, [idOf('d')]: { node: 'nc-02', ...d, groups: ['sg-cccccccc'] } },
      groups: { ...lab.world().groups, 'sg-cccccccc': [] },
    })
    await mustPush(lab)
    const before = both(await counts())
    await drop()
    await vi.waitFor(async () => expect(both(await counts())).toBe(before + 5), { timeout: 20_000 })
    const numbers = Object.values(await counts()).flatMap((count) => [...count.in, ...count.out])
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0)
  })

  it('tells it exactly where the profile is hardened', async () => {
    const inventory = await readFile(lab.files.inventory, 'utf8')
    await writeFile(lab.files.inventory, inventory.replace(/(nc-01: \{.*) \}/, '$1, profile: hardened }'))
    expect(await mustPush(lab)).toMatchObject({ 'nc-01': 'converged', 'nc-02': 'unchanged' })
    const before = await counts()
    const plus = (name: string, count: number, size: number) => {
      const [packets, bytes] = before[name]?.in ?? nothing
      return [packets + count, bytes + count * (size + HEADERS)]
    }
    await drop()
    const expected = { 'a public': plus('a public', 2, 100), 'a private': plus('a private', 3, 50) }
    const came = async () => {
      const { 'a public': toPublic, 'a private': toPrivate } = await counts()
      return { 'a public': toPublic?.in, 'a private': toPrivate?.in }
    }
    await vi.waitFor(async () => expect(await came()).toEqual(expected), { timeout: 20_000 })
  })
})
