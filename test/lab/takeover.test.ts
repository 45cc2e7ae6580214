/** A node changes hands: from eucanetd to us, back, and to nobody. */

import { readFile, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { labMissing } from '../../lab/lab-missing.ts'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabNode } from '../../lab/make-node.ts'
import { startLab } from '../../lab/start-lab.ts'
import { eucanetdMakes } from './eucanetd.ts'

const KERNEL =
  'iptables-save -c; ipset save | sort; ebtables-save; ip -4 address show dev br0; cat /run/eucalyptus/net/euca-dhcp.pid'

const missing = labMissing()
if (missing.length > 0) console.error(`SKIPPED: no takeover without ${missing.join(', ')}`)

describe.skipIf(missing.length > 0)('a node that eucanetd has made', () => {
  let lab: Lab
  let node: LabNode

  beforeEach(async () => {
    lab = await startLab({ nodes: 2 })
    node = lab.node('nc-01')
    await eucanetdMakes(lab, 'nc-01')
  })
  afterEach(() => lab.stop())

  it('is not pushed to while eucanetd runs, and says what to do', async () => {
    const { code, stdout } = await lab.edgepush(['push', 'push.yml', '--node', 'nc-01'])
    expect(code).toBe(3)
    expect(stdout).toContain('edgepush adopt')
    expect(await eucanetdRuns()).toBe(true)
  })

  it('is adopted without a change when it agrees with the view, and the next push writes nothing', async () => {
    const before = await kernel()
    const adopted = await lab.edgepush(['adopt', 'push.yml', '--node', 'nc-01'])
    expect(adopted.stdout).toContain('adopted as it was')
    expect(adopted.code).toBe(0)
    expect(await eucanetdRuns()).toBe(false)
    expect(await kernel()).toBe(before)

    const pushed = await lab.edgepush(['push', 'push.yml', '--node', 'nc-01'])
    expect(pushed.stdout).toContain('1 unchanged')
    expect(await kernel()).toBe(before)
    expect(await node.run('ls /var/lib/edgepush/generation-0')).toContain('iptables.restore')
  })

  it('leaves the node controller what it looks for', async () => {
    await node.run(
      'cd /run/eucalyptus; echo view > global_network_info.xml; echo old > eucanetd_global_network_info.xml',
    )
    await lab.edgepush(['adopt', 'push.yml', '--node', 'nc-01'])
    expect(await node.run('cat /run/eucalyptus/*global_network_info.xml')).toBe('view\n')
    expect(await node.run(`tr '\\0' ' ' < /proc/$(cat /run/eucalyptus/eucanetd.pid)/cmdline`)).toContain('eucanetd')
    expect(await node.run('cat /run/eucalyptus/net/euca-dhcp.conf')).toContain(
      `node-${lab.instance('i-0a0a0a0a').address} `,
    )
    expect(await node.run('cat /run/eucalyptus/global_network_info.version')).toMatch(/^[0-9a-f]{8}$/)
    expect(await node.run(`setpriv --reuid nobody cat /run/eucalyptus/net/euca-dhcp.conf | wc -l`)).not.toBe('0\n')
  })

  it('shows where it disagrees and changes nothing, unless it is forced', async () => {
    await node.run('iptables -A sg-aaaaaaaa -p tcp --dport 4444 -j ACCEPT; ipset add sg-aaaaaaaa 10.9.9.9')
    const before = await kernel()
    const refused = await lab.edgepush(['adopt', 'push.yml', '--node', 'nc-01'])
    expect(refused.code).toBe(3)
    expect(refused.stdout).toContain('iptables --A sg-aaaaaaaa -p tcp -m tcp --dport 4444 -j ACCEPT')
    expect(refused.stdout).toContain('ipset -add sg-aaaaaaaa 10.9.9.9')
    expect(refused.stdout).toContain('edgepush adopt --force difference')
    expect(await eucanetdRuns()).toBe(true)
    expect(await kernel()).toBe(before)

    const forced = await lab.edgepush(['adopt', 'push.yml', '--node', 'nc-01', '--force', 'difference'])
    expect(forced.code).toBe(0)
    expect(forced.stdout).toContain('adopted, and changed')
    expect(await node.run('iptables-save; ipset save')).not.toMatch(/4444|10\.9\.9\.9/)
  })

  it('is not adopted where what the playbook wants verified does not work', async () => {
    await addToFile(lab.files.playbook, / }\n$/, ', verify: [{ check: metadata, timeout: 2s }] }\n')
    await lab.clc.run('iptables -I INPUT -p tcp --dport 8773 -j REJECT --reject-with tcp-reset')
    const before = await kernel()
    const adopted = await lab.edgepush(['adopt', 'push.yml', '--node', 'nc-01'])
    expect(adopted.stdout).toContain('metadata: nothing answers at 10.111.5.10:8773')
    expect(adopted.stdout).toContain('1 rolled-back')
    expect(adopted.code).toBe(5)
    expect(await kernel()).toBe(before)
    expect(await node.run('ls /var/lib/edgepush')).not.toMatch(/^(current|pending)$/m)

    await lab.clc.run('iptables -F INPUT')
    expect((await lab.edgepush(['adopt', 'push.yml', '--node', 'nc-01'])).stdout).toContain('adopted as it was')
  })

  it('is adopted with what makes it anew at boot, released without, and flushed without', async () => {
    await addToFile(lab.files.inventory, /^ {2}role: nc$/m, '  role: nc\n  persist: true')
    const unit = '/etc/systemd/system/edgepush-restore.service'
    const places = `ls ${unit} /etc/systemd/system/multi-user.target.wants/edgepush-restore.service 2> /dev/null | wc -l`
    const before = await kernel()
    const adopted = await lab.edgepush(['adopt', 'push.yml', '--node', 'nc-01'])
    expect(adopted.stdout).toContain('adopted as it was')
    expect(await kernel()).toBe(before)
    expect(await node.run(places)).toBe('2\n')
    expect((await lab.edgepush(['push', 'push.yml', '--node', 'nc-01'])).stdout).toContain('1 unchanged')

    await lab.edgepush(['release', 'push.yml', '--node', 'nc-01'])
    expect(await node.run(places)).toBe('0\n')
    expect(await kernel()).toBe(before)

    await lab.edgepush(['push', 'push.yml', '--node', 'nc-01'])
    expect(await node.run(places)).toBe('2\n')
    expect((await lab.edgepush(['flush', 'push.yml', '--node', 'nc-01'])).code).toBe(0)
    expect(await node.run(places)).toBe('0\n')
  })

  it('is released with everything as it is, but for what only we had', async () => {
    await lab.edgepush(['adopt', 'push.yml', '--node', 'nc-01'])
    const before = await kernel()
    expect((await lab.edgepush(['release', 'push.yml', '--node', 'nc-01'])).stdout).toContain('1 released')
    expect(await kernel()).toBe(before)
    expect(await node.run('cat /run/eucalyptus/eucanetd.pid || true; pgrep -f "[e]ucanetd-placeholder" || true')).toBe(
      '',
    )
    expect((await lab.edgepush(['status', 'push.yml', '--live', '--node', 'nc-01'])).stdout).toContain(
      'holds nothing of ours',
    )
  })

  it('is flushed to the last trace, also when no view knows it any more', async () => {
    await lab.edgepush(['adopt', 'push.yml', '--node', 'nc-01'])
    await node.run('iptables -A FORWARD -s 192.0.2.99 -j DROP; ip addr add 192.0.2.98/32 dev br0')
    const flushed = await lab.edgepush(['flush', '-i', 'inventory.yml', '--node', 'nc-01'])
    expect(flushed.code).toBe(0)
    expect(await node.run('iptables-save; ipset save; ebtables-save')).not.toMatch(/EUCA_|sg-/)
    const addresses = await node.run('ip -4 address show dev br0')
    expect(addresses).not.toContain('10.111.200.')
    expect(addresses).toContain('192.0.2.98/32')
    expect(await node.run('iptables-save')).toContain('-A FORWARD -s 192.0.2.99/32 -j DROP')
    expect(await node.run('ls /var/lib/edgepush /run/eucalyptus/net 2> /dev/null || true')).toBe(
      '/run/eucalyptus/net:\n',
    )
    expect(await node.run('pgrep -f "[d]hcpd|[p]laceholder" || true')).toBe('')
  })

  it('keeps the skeleton when it is flushed dynamically', async () => {
    await lab.edgepush(['adopt', 'push.yml', '--node', 'nc-01'])
    await node.run('iptables -A EUCA_FILTER_FWD_PREUSERHOOK -s 192.0.2.99 -j DROP')
    expect((await lab.edgepush(['flush', 'push.yml', '--node', 'nc-01', '--dynamic'])).code).toBe(0)
    const kept = await node.run('iptables-save; ebtables-save; ipset save')
    expect(kept).toContain('-A FORWARD -j EUCA_FILTER_FWD\n')
    expect(kept).toContain('-A EUCA_FILTER_FWD_PREUSERHOOK -s 192.0.2.99/32 -j DROP')
    expect(kept).toContain('add EUCA_VERSION 5.1.0.0')
    expect(kept).not.toMatch(/^-A (EUCA_FILTER_FWD|EUCA_NAT_PRE|EUCA_EBT_NAT_PRE) /m)
    expect(kept).not.toContain('sg-')
  })

  async function eucanetdRuns(): Promise<boolean> {
    return (await node.run('pgrep -x eucanetd || true')) !== ''
  }

  /** Without what counts packets or tells the time. */
  async function kernel(): Promise<string> {
    return (await node.run(KERNEL)).replace(/\[\d+:\d+\] ?|^#.*$/gm, '')
  }
})

async function addToFile(file: string, place: RegExp, text: string): Promise<void> {
  const before = await readFile(file, 'utf8')
  expect(before).toMatch(place)
  await writeFile(file, before.replace(place, text))
}
