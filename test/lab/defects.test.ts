// What eucanetd does wrong and we do not, on real nodes: docs/defects.md says which test is for which defect.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabNode } from '../../lab/make-node.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { dump, dumpAll, shown } from './dump.ts'
import { expectPackets, idOf } from './packets.ts'
import { all, mustPush, push } from './push.ts'
import { breakTool, mendTools, release, waiting } from './sabotage.ts'
import { describeLab } from './with-lab.ts'

const world: World = {
  instances: {
    [idOf('a')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true },
    [idOf('b')]: { node: 'nc-02', groups: ['sg-bbbbbbbb'], public: true },
  },
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere', 'tcp 3306 from sg-bbbbbbbb'], 'sg-bbbbbbbb': [] },
}

const withGroups = (groups: World['groups']): World => ({ ...world, groups: { ...world.groups, ...groups } })
const withInstance = (letter: string, changed: Partial<World['instances'][string]>): World => {
  const instance = { node: 'nc-01', groups: ['sg-aaaaaaaa'], ...world.instances[idOf(letter)], ...changed }
  return { ...world, instances: { ...world.instances, [idOf(letter)]: instance } }
}

/** What a commit starts may outlive it. */
const ANY_TIME = '.'

describeLab('what eucanetd does wrong', () => {
  let lab: Lab
  let node: LabNode
  const a = () => lab.instance(idOf('a'))

  beforeEach(async () => {
    lab = await startLab({ nodes: 2, world })
    node = lab.node('nc-01')
  })
  afterEach(() => lab.stop())

  /** A view that the lab itself would not publish. */
  async function viewFile(edit: (view: string) => string): Promise<readonly string[]> {
    const plain = lab.view(lab.world())
    expect(edit(plain)).not.toBe(plain)
    await writeFile(join(lab.files.directory, 'view.xml'), edit(plain))
    return ['--view', 'view.xml']
  }

  it('F1: a node without any table gets them all, before it counts as served', async () => {
    expect(await node.run('iptables-save; ebtables-save')).toBe('')
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    const saved = await node.run('iptables-save; ebtables-save')
    for (const rule of [
      '-A FORWARD -j EUCA_FILTER_FWD',
      '-A PREROUTING -j EUCA_NAT_PRE',
      '-A PREROUTING -j EUCA_RAW_PRE',
    ])
      expect(saved).toContain(`${rule}\n`)
    expect(saved).toContain('-A PREROUTING -j EUCA_EBT_NAT_PRE\n')
  })

  it('F3: chains reached by -g, chains nobody reaches, chains with sg- inside and rules of 2000 characters stay', async () => {
    const words = Array.from({ length: 10 }, (_, index) => `-m comment --comment "${'x'.repeat(200)} -j ${index}"`)
    await node.run(`set -e
      for chain in reached alone my-sg-chain; do iptables -N $chain; iptables -A $chain -s 203.0.113.1 -j DROP; done
      iptables -A FORWARD -g reached
      iptables -A FORWARD -s 203.0.113.2 ${words.join(' ')} -j DROP`)
    const before = (await dump(node)).iptables ?? ''
    expect(Math.max(...before.split('\n').map(({ length }) => length))).toBeGreaterThan(2000)
    await mustPush(lab)
    await lab.publish(withGroups({ 'sg-aaaaaaaa': [] }))
    await mustPush(lab)
    const after = new Set(((await dump(node)).iptables ?? '').split('\n'))
    expect(before.split('\n').filter((line) => !after.has(line))).toEqual([])
  })

  it('F4: a rule that somebody adds while a push is at work is there afterwards', async () => {
    await mustPush(lab)
    await lab.publish(withGroups({ 'sg-aaaaaaaa': ['tcp 80 from anywhere'] }))
    await breakTool(node, 'iptables-restore', 'waits')
    const pushing = mustPush(lab)
    await waiting(node)
    await node.run(
      'iptables -I FORWARD -s 203.0.113.9 -j DROP; iptables -t nat -A POSTROUTING -s 10.97.0.0/16 -j ACCEPT',
    )
    await release(node)
    expect(await pushing).toMatchObject({ 'nc-01': 'converged' })
    await mendTools(node)
    expect(await node.run('iptables-save')).toContain('-A FORWARD -s 203.0.113.9/32 -j DROP')
    expect(await node.run('iptables-save')).toContain('-A POSTROUTING -s 10.97.0.0/16 -j ACCEPT')
  })

  it('F5, F6: a bad rule or instance is named and touches no node; left out on request, everything else is served', async () => {
    await mustPush(lab)
    await lab.publish(withInstance('c', { node: 'nc-01', groups: ['sg-aaaaaaaa', 'sg-cccccccc'] }))
    const before = await dumpAll(lab)
    const view = await viewFile((text) =>
      text
        .replace('<protocol>6</protocol><fromPort>3306', '<protocol>-1</protocol><fromPort>3306')
        .replace(/(i-0c0c0c0c">.*?<securityGroups>).*?(?=<\/securityGroups>)/, '$1'),
    )
    const refused = await push(lab, view)
    expect(refused.code).toBe(65)
    expect(refused.stderr).toMatch(/instance i-0c0c0c0c/)
    expect(refused.stderr).toMatch(/group sg-aaaaaaaa rule 2: protocol -1/)
    expect(await dumpAll(lab)).toEqual(before)

    const lenient = await push(lab, [...view, '--lenient'])
    expect([lenient.code, lenient.outcomes['nc-01']?.status]).toEqual([0, 'converged'])
    expect(await shown(node)).toContain('-A sg-aaaaaaaa -p tcp -m tcp --dport 22 -j ACCEPT')
    expect(await shown(node)).not.toContain('3306')
  })

  it('F7: a member on another node that gets another elastic IP is let in with the new one, and not with the old', async () => {
    await mustPush(lab)
    await Promise.all([lab.boot(idOf('a')), lab.boot(idOf('b'))])
    await expectPackets(lab, 'b  eip-a  tcp 3306  a sees eip-b')
    const old = lab.instance(idOf('b')).publicAddress ?? ''
    await lab.publish(withInstance('b', { public: '10.111.200.88' }))
    await mustPush(lab)
    await expectPackets(lab, 'b  eip-a  tcp 3306  a sees eip-b')
    const sets = (await dump(node)).ipset ?? ''
    expect(sets).toContain('add sg-bbbbbbbb 10.111.200.88\n')
    expect(sets).not.toContain(`add sg-bbbbbbbb ${old}\n`)
  })

  it('F8: another cloud controller, DNS server, domain, pool or gateway alone is applied', async () => {
    await mustPush(lab)
    const clc = lab.plan.clc.address
    const edits: readonly (readonly [RegExp, string, string])[] = [
      [/(name="enabledCLCIp"><value>)[^<]*/, '$1192.0.2.7', 'DNAT --to-destination 192.0.2.7:8773'],
      [/(name="instanceDNSServers"><value>)[^<]*/, '$110.9.9.9', 'option domain-name-servers 10.9.9.9;'],
      [/(name="instanceDNSDomain"><value>)[^<]*/, '$1other.internal', 'option domain-name "other.internal";'],
      [/(name="gateway"><value>)[^<]*/, '$110.111.0.9', 'option routers 10.111.0.9;'],
    ]
    for (const [from, to, wanted] of edits) {
      expect(await mustPush(lab, await viewFile((text) => text.replace(from, to)))).toEqual(all(lab, 'converged'))
      expect(await shown(node)).toContain(wanted)
    }
    await mustPush(lab)
    expect(await shown(node)).toContain(`DNAT --to-destination ${clc}:8773`)
    await node.run('ip address add 10.112.9.9/32 dev br0')
    await mustPush(lab, await viewFile((text) => text.replace('10.111.200.250', '10.112.9.9')))
    expect(await node.run('ip -4 -o address')).not.toContain('10.112.9.9')
  })

  it('F12: an elastic IP from outside the pool goes when it is revoked; one with another prefix is not ours, and told of', async () => {
    await lab.publish(withInstance('a', { public: '192.0.2.200' }))
    await mustPush(lab)
    await node.run('ip address add 10.111.200.99/32 dev br0; ip address add 10.111.200.98/16 dev br0')
    const addresses = async () => (await node.run('ip -4 -o address')).match(/(192\.0\.2\.|10\.111\.200\.)[\d/]+/g)
    expect(await addresses()).toEqual(expect.arrayContaining(['192.0.2.200/32', '10.111.200.99/32']))
    await lab.publish({ ...world, instances: {} })
    const { code, outcomes } = await push(lab)
    expect(code).toBe(0)
    expect(await addresses()).toEqual(['10.111.200.98/16'])
    expect(outcomes['nc-01']?.notes).toEqual([
      expect.stringMatching(/^10\.111\.200\.98\/16 on br0 is in the pool .* stays/),
    ])
    expect(outcomes['nc-02']?.notes).toEqual([])

    const [, remedy = ''] = /remove it: (ip addr del .*)$/.exec(outcomes['nc-01']?.notes[0] ?? '') ?? []
    await node.run(remedy)
    expect(await addresses()).toBeNull()
  })

  it('F13: a rule for the ports 0 to 22 opens these and no others', async () => {
    await lab.publish(withGroups({ 'sg-aaaaaaaa': ['tcp 0-22 from anywhere'] }))
    await mustPush(lab)
    await lab.boot(idOf('a'))
    await expectPackets(
      lab,
      `
      outside  eip-a     tcp 22     a sees outside
      outside  eip-a     tcp 1      a sees outside
      outside  eip-a     tcp 23     dropped
      outside  eip-a     tcp 65535  dropped
      `,
    )
  })

  it('F16: nothing waits for announcements, and only new elastic IPs are announced', async () => {
    await breakTool(node, 'arping', 'waits', { during: ANY_TIME, times: 'always' })
    await lab.publish(withInstance('c', { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true }))
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    await waiting(node)
    expect(await node.run('cat /run/eucalyptus/net/euca-dhcp.conf')).toContain(`node-${a().address} `)
    await release(node)

    const other = lab.node('nc-02')
    await other.run("for _ in $(seq 500); do ps -eo args | grep -q '[a]nnounce 10' || exit 0; sleep 0.02; done; exit 1")
    await breakTool(other, 'arping', 'fails', { fine: 1000, during: ANY_TIME })
    const calls = async () => (await other.exec('cat /tmp/wrapped/calls')).stdout.length
    await lab.publish({ ...lab.world(), groups: { ...world.groups, 'sg-bbbbbbbb': ['tcp 80 from anywhere'] } })
    expect(await mustPush(lab)).toMatchObject({ 'nc-02': 'converged' })
    expect(await calls()).toBe(0)
    await lab.publish(withInstance('b', { public: '10.111.200.88' }))
    expect(await mustPush(lab)).toMatchObject({ 'nc-02': 'converged' })
    await vi.waitFor(async () => expect(await calls()).toBeGreaterThan(0), { timeout: 5_000 })
  })

  it('F17: a push that changes rules leaves the DHCP server and its file alone', async () => {
    await mustPush(lab)
    const net = '/run/eucalyptus/net/euca-dhcp'
    const trace = `stat -c '%i %y' ${net}.conf; cut -d ' ' -f 1,22 /proc/$(cat ${net}.pid)/stat`
    const before = await node.run(trace)
    await lab.publish(withGroups({ 'sg-aaaaaaaa': ['tcp 80 from anywhere'] }))
    expect(await mustPush(lab)).toMatchObject({ 'nc-01': 'converged' })
    expect(await node.run(trace)).toBe(before)
  })

  it('F24: a connection that a rule let in outlives the rule, as with eucanetd; a new one is not let in', async () => {
    await mustPush(lab)
    await lab.boot(idOf('a'))
    const kept = await lab.outside.hold(a().publicAddress ?? '', 22)
    expect(kept.reached).toBe(true)
    await lab.publish(withGroups({ 'sg-aaaaaaaa': [] }))
    await mustPush(lab)
    expect((await kept.again()).reached).toBe(true)
    await kept.close()
    await expectPackets(lab, 'outside  eip-a  tcp 22  dropped')
  })
})
