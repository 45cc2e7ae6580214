// Bundles that arrive whole and are wrong all the same: the rehearsal on the node finds out, and nothing is touched.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../../lab/make-lab.ts'
import type { LabNode } from '../../../lab/make-node.ts'
import { startLab } from '../../../lab/start-lab.ts'
import type { Bundle } from '../../../src/bundle/bundle.ts'
import { commit, confirm, stage, type Verdict } from '../../../src/node/protocol.ts'
import { NOTHING_STORED } from '../../../src/node/stage-script.ts'
import { type Dump, dump } from '../dump.ts'
import { bundleFor } from '../eucanetd.ts'
import { idOf } from '../packets.ts'
import { describeLab } from '../with-lab.ts'
import { type Edit, loginTo, spoil } from './spoilt.ts'

const swap =
  (from: string | RegExp, to: string): Edit =>
  (text) =>
    text.replace(from, to)

/** A rule of the group, which accepts TCP on port 22 from anywhere. */
const rule = /^-A sg-aaaaaaaa -p tcp.*$/m

const faults: readonly (readonly [what: string, file: string, edit: Edit, complaint: string | RegExp])[] = [
  [
    'ends its lines as Windows does',
    'iptables.restore',
    swap(/\n/g, '\r\n'),
    'iptables.restore holds more than printable ASCII',
  ],
  [
    'begins with a byte order mark',
    'ipset.restore',
    swap(/^/, '\uFEFF'),
    'ipset.restore holds more than printable ASCII',
  ],
  [
    'has a port that is none',
    'iptables.restore',
    swap('--dport 22', '--dport 222222'),
    /iptables switch: .*invalid port\/service `222222' specified/,
  ],
  [
    'jumps to a chain that is not there',
    'iptables.restore',
    swap(rule, '-A sg-aaaaaaaa -j sg-9'),
    /iptables switch: .*sg-9/,
  ],
  [
    'has a rule that only works after routing, and reaches it before',
    'iptables.restore',
    swap('-A EUCA_NAT_PRE ', '-A EUCA_NAT_PRE -j SNAT --to-source 10.111.200.1\n-A EUCA_NAT_PRE '),
    /iptables loosen: .*failed/,
  ],
  [
    'asks for a set that is not in it',
    'ipset.restore',
    swap(/^.*sg-aaaaaaaa.*\n/gm, ''),
    /iptables switch: .*Set sg-aaaaaaaa doesn't exist/,
  ],
  [
    'has a set with more members than it takes',
    'ipset.restore',
    swap(/(create sg-aaaaaaaa .*maxelem) 65536/, '$1 1'),
    /ipset loosen: .*Hash is full/,
  ],
  [
    'has a name for a member',
    'ipset.restore',
    swap(/^add sg-aaaaaaaa .*$/m, 'add sg-aaaaaaaa nowhere.invalid'),
    /ipset loosen: .*nowhere\.invalid/,
  ],
  [
    'has a set for everybody',
    'ipset.restore',
    swap(/^add sg-aaaaaaaa .*$/m, 'add sg-aaaaaaaa 0.0.0.0/0'),
    /ipset loosen: .*(cidr|CIDR)/,
  ],
  [
    'has a set of a kind that this kernel lacks',
    'ipset.restore',
    swap('create sg-aaaaaaaa hash:net', 'create sg-aaaaaaaa hash:nothing'),
    /ipset tighten: .*hash:nothing/,
  ],
  [
    'asks for a match that this kernel lacks',
    'iptables.restore',
    swap(rule, '-A sg-aaaaaaaa -m nosuchmatch -j ACCEPT'),
    /iptables switch: .*nosuchmatch/,
  ],
  [
    'has a set with a name too long',
    'ipset.restore',
    swap(/sg-aaaaaaaa/g, `sg-${'a'.repeat(40)}`),
    /ipset tighten: .*/,
  ],
  [
    'has a chain with a name too long',
    'iptables.restore',
    swap(/(?<=[:] ?|-A |-j )sg-aaaaaaaa/g, `sg-${'a'.repeat(40)}`),
    /iptables switch: .*too long/,
  ],
  [
    'has an interface with a name too long',
    'ebtables.restore',
    swap('vn_i+', 'vn_i-and-much-more-than-fits'),
    /ebtables loosen: .*/,
  ],
  [
    'gives leases in a network that the bridge is not in',
    'dhcpd.conf',
    swap(/^subnet .* \{$/m, 'subnet 10.77.0.0 netmask 255.255.0.0 {'),
    /dhcpd does not start: No subnet declaration for br0/,
  ],
  [
    'has a DHCP server that knows hosts and nothing else',
    'dhcpd.conf',
    (text) => `${text.match(/^host [\s\S]*?^\}$/m)?.[0]}\n`,
    'dhcpd does not start: ',
  ],
  [
    'has a DHCP server with half a configuration',
    'dhcpd.conf',
    (text) => text.slice(0, text.lastIndexOf('}')),
    /dhcpd does not start: .*line \d+: unexpected end of file/,
  ],
]

describeLab('a bundle is refused, and its node untouched, when it', () => {
  let lab: Lab
  let node: LabNode
  let sound: Bundle
  let before: Dump

  beforeAll(async () => {
    const instances = { [idOf('a')]: inGroup('sg-aaaaaaaa'), [idOf('b')]: inGroup('sg-aaaaaaaa') }
    lab = await startLab({ nodes: 1, world: { instances, groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] } } })
    node = lab.node('nc-01')
    await node.run('iptables -N site; ipset create site hash:ip')
    sound = await bundleFor(lab, 'nc-01')
    before = await dump(node)
  })
  afterAll(() => lab?.stop())

  it.each(faults)('%s', async (_, file, edit, complaint) => {
    const verdict = await stage(loginTo(node), spoil(sound, file, edit), NOTHING_STORED)
    expect(verdict).toMatchObject({ state: 'refused' })
    expect(verdict.errors.join('; ')).toMatch(complaint)
    expect(await dump(node)).toEqual(before)
  })

  it.each([
    ['size', 'hash:net maxelem 1024'],
    ['family', 'hash:net family inet6'],
  ])('meets a set of its name and of another %s', async (_, header) => {
    await node.run(`ipset create sg-aaaaaaaa ${header}`)
    const met = await dump(node)
    const verdict = await stage(loginTo(node), sound, NOTHING_STORED)
    const after = await dump(node)
    await node.run('ipset destroy sg-aaaaaaaa')
    expect(verdict).toMatchObject({ state: 'refused' })
    expect(verdict.errors.join('; ')).toMatch(/^the set sg-aaaaaaaa exists as .*: rename or destroy it first;/)
    expect(after).toEqual(met)
  })

  it('is the only one that is: the sound one is served', async () => {
    expect(await serve(node, sound, 1)).toMatchObject({ state: 'done', errors: [] })
  })
})

describeLab('sets that are nearly full', () => {
  it('take as many others as they had, also when members change places', async () => {
    const lab = await startLab({ nodes: 1 })
    const node = lab.node('nc-01')
    const full = async (of: string, other: string) => {
      const instances = { a: of, b: of, c: other, d: other }
      const placed = Object.entries(instances).map(([letter, group]) => [idOf(letter), inGroup(group)] as const)
      await lab.publish({ instances: Object.fromEntries(placed), groups: { 'sg-aaaaaaaa': [], 'sg-bbbbbbbb': [] } })
      const three: Edit = (text) => text.replace(/^(create sg-.*) maxelem .*$/gm, '$1 maxelem 3')
      return spoil(await bundleFor(lab, 'nc-01'), 'ipset.restore', three)
    }
    expect(await serve(node, await full('sg-aaaaaaaa', 'sg-bbbbbbbb'), 1)).toMatchObject({ state: 'done' })
    expect(await serve(node, await full('sg-bbbbbbbb', 'sg-aaaaaaaa'), 2)).toMatchObject({ state: 'done', errors: [] })
    expect((await dump(node)).ipset).toContain(`add sg-aaaaaaaa ${lab.instance(idOf('c')).address}\n`)
    await lab.stop()
  })
})

const inGroup = (group: string) => ({ node: 'nc-01', groups: [group] })

/** Stage, commit and confirm; the verdict of the last that was asked. */
async function serve(node: LabNode, bundle: Bundle, epoch: number): Promise<Verdict> {
  const run = `20260101T000000Z-00000${epoch}`
  const login = loginTo(node)
  const terms = { run, epoch, window: 60_000, version: undefined }
  const start = { mayBegin: async () => true, clock: undefined, stored: NOTHING_STORED, onActivated: () => undefined }
  const committed = await commit(login, bundle, terms, start)
  return committed.state === 'done' ? await confirm(login, bundle, run) : committed
}
