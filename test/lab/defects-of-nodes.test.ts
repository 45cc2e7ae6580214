// What eucanetd does wrong and we do not, where it depends on the state of a node: docs/defects.md has all of them.

import { afterEach, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { dump } from './dump.ts'
import { idOf } from './packets.ts'
import { all, mustPush, push } from './push.ts'
import { breakTool, mendTools, release, waiting } from './sabotage.ts'
import { describeLab } from './with-lab.ts'

const world: World = {
  instances: { [idOf('a')]: { node: 'nc-01', groups: ['sg-aaaaaaaa'], public: true } },
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] },
}

describeLab('what eucanetd does wrong on a node', () => {
  let lab: Lab
  afterEach(() => lab.stop())

  const node = () => lab.node('nc-01')

  it('F10: a node whose bridge has no address yet is refused, and served by the same view when it has', async () => {
    lab = await startLab({ nodes: 1, networks: 'two', world, options: { NC_ROUTER_IP: 'AUTO' } })
    const address = node().bridgeAddresses[0] ?? ''
    await node().run(`ip address del ${address} dev br0`)
    expect((await push(lab)).outcomes['nc-01']).toMatchObject({
      status: 'refused',
      reason: 'NC_ROUTER_IP is AUTO, but br0 has no address of 172.16.0.0/16 (it has no address)',
    })
    await node().run(`ip address add ${address} dev br0`)
    expect(await mustPush(lab)).toEqual({ 'nc-01': 'converged' })
    expect(await node().run('cat /run/eucalyptus/net/euca-dhcp.conf')).toContain(
      `option routers ${address.replace('/16', '')};`,
    )
  })

  it('F25: a public interface without any address costs no process per address of the pool', async () => {
    lab = await startLab({ nodes: 1, networks: 'two', world, options: { VNET_PUBINTERFACE: 'pub0' } })
    await node().run('ip link add pub0 type bridge; ip link set pub0 up')
    await breakTool(node(), 'ip', 'fails', { fine: 100_000 })
    expect(await mustPush(lab)).toEqual({ 'nc-01': 'converged' })
    const calls = Number(await node().run('wc -l < /tmp/wrapped/calls'))
    await mendTools(node())
    expect(calls).toBeGreaterThan(0)
    expect(calls).toBeLessThan(20)
    expect(await node().run('ip -4 -o address show dev pub0')).toContain('10.111.200.1/32')
  })

  it('F26: a push that logs everything writes the same as one that does not', async () => {
    lab = await startLab({ nodes: 1, world })
    await node().run('iptables -t nat -A PREROUTING -p 47 -m comment --comment "a rule nobody knows" -j ACCEPT')
    expect(await mustPush(lab)).toEqual({ 'nc-01': 'converged' })
    const before = await dump(node())
    await node().run('iptables -F EUCA_FILTER_FWD; ipset flush sg-aaaaaaaa; ebtables -t nat -F EUCA_EBT_NAT_PRE')
    const loud = await push(lab, ['--verbose'])
    expect(loud.outcomes['nc-01']?.status).toBe('converged')
    expect(loud.stderr.length).toBeGreaterThan(0)
    expect(await dump(node())).toEqual(before)
    expect(await mustPush(lab)).toEqual({ 'nc-01': 'unchanged' })
  })

  it.each([
    ['a newer version', 'ipset add EUCA_VERSION 9.9.9.0'],
    ['an older version', 'ipset add EUCA_VERSION 4.1.0.0'],
    ['two versions', 'ipset add EUCA_VERSION 9.9.9.0; ipset add EUCA_VERSION 4.1.0.0'],
  ])('F27: a node whose set says %s is served, and its set says what is installed', async (_, command) => {
    lab = await startLab({ nodes: 1, world })
    await node().run(`ipset create EUCA_VERSION hash:net family inet hashsize 2048 maxelem 65536; ${command}`)
    expect(await mustPush(lab)).toEqual({ 'nc-01': 'converged' })
    expect((await dump(node())).ipset?.match(/^add EUCA_VERSION .*$/gm)).toEqual(['add EUCA_VERSION 5.1.0.0'])
  })

  it('F29: a flush takes elastic IPs first, and goes back whole when a step of it fails', async () => {
    lab = await startLab({ nodes: 2, world })
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    const before = await dump(node())
    const elastic = `${lab.instance(idOf('a')).publicAddress}/32`
    expect(before.addresses).toContain(elastic)

    await breakTool(node(), 'ebtables-restore', 'fails')
    const failed = await lab.edgepush(['flush', 'push.yml', '--node', 'nc-01'])
    await mendTools(node())
    expect(failed.stdout).toMatch(/^nc-01 +rolled-back/m)
    expect(failed.code).toBe(5)
    expect(await dump(node())).toEqual(before)

    await breakTool(node(), 'iptables-restore', 'waits')
    const flushing = lab.edgepush(['flush', 'push.yml', '--node', 'nc-01'])
    await waiting(node())
    const meanwhile = await dump(node())
    await release(node())
    expect((await flushing).code).toBe(0)
    expect(meanwhile.addresses).not.toContain(elastic)
    expect(meanwhile.iptables).toContain('-A EUCA_NAT_PRE ')
  })
})
