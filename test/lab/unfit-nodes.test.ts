// A node for each reason why a node cannot be served, and one that can: one push, and what became of each.

import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import type { LabNode } from '../../lab/make-node.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { type Dump, dumpAll } from './dump.ts'
import { fillConnections } from './faults/fill-connections.ts'
import { type Pushed, push } from './push.ts'
import { describeLab } from './with-lab.ts'

interface Defect {
  readonly what: string
  /** Run on the node, and how it is undone. */
  readonly make?: string
  readonly undo?: string
  /** Put behind the node's address in the inventory. */
  readonly inventory?: string
  readonly status: 'refused' | 'unreachable'
  readonly reason: string
  /** What to type next. */
  readonly next?: string
}

/** In the node's mount namespace: nobody else's tool is gone. */
const hide = (tool: string) => `mount --bind /dev/null /usr/sbin/${tool}`

const defects: readonly Defect[] = [
  {
    what: 'it forwards nothing',
    make: 'sysctl -w net.ipv4.ip_forward=0',
    undo: 'sysctl -w net.ipv4.ip_forward=1',
    status: 'refused',
    reason: 'net.ipv4.ip_forward is 0, the node forwards nothing: sysctl -w net.ipv4.ip_forward=1',
  },
  {
    what: 'bridged packets pass its filter unseen',
    make: 'sysctl -w net.bridge.bridge-nf-call-iptables=0',
    undo: 'sysctl -w net.bridge.bridge-nf-call-iptables=1',
    status: 'refused',
    reason: 'net.bridge.bridge-nf-call-iptables is 0, bridged packets would pass unfiltered: sysctl -w',
  },
  {
    what: 'it lacks tools',
    make: `${hide('ipset')} && ${hide('dhcpd')}`,
    undo: 'umount /usr/sbin/ipset /usr/sbin/dhcpd',
    status: 'refused',
    reason: 'this node lacks: ipset dhcpd',
  },
  {
    what: 'its bridge has another name',
    inventory: 'options: { VNET_BRIDGE: br9 }',
    status: 'refused',
    reason: 'there is no bridge br9 (VNET_BRIDGE); interfaces there: ',
  },
  {
    what: 'its public interface has another name',
    inventory: 'options: { VNET_PUBINTERFACE: em9 }',
    status: 'refused',
    reason: 'there is no interface em9',
  },
  {
    what: 'the view does not know it',
    inventory: '# not in the view',
    status: 'refused',
    reason: 'the view has no node 10.111.5.57',
  },
  {
    what: 'its disk is full',
    make: 'mkdir /var/lib/edgepush && mount -t tmpfs -o size=16k tmpfs /var/lib/edgepush',
    undo: 'umount /var/lib/edgepush',
    status: 'refused',
    reason: 'is the disk full?',
  },
  {
    what: 'somebody has a set of our name and another kind',
    make: 'ipset create EUCA_NCPRIVATE hash:ip',
    undo: 'ipset destroy EUCA_NCPRIVATE',
    status: 'refused',
    reason:
      'the set EUCA_NCPRIVATE exists as hash:ip family inet maxelem 65536, the bundle wants hash:net family inet maxelem 65536: rename or destroy it first',
  },
  {
    what: 'eucanetd runs on it',
    make: 'cp /bin/sleep /tmp/eucanetd && (setsid /tmp/eucanetd 600 < /dev/null > /dev/null 2>&1 & echo $! > /tmp/eucanetd.pid)',
    undo: 'kill $(cat /tmp/eucanetd.pid)',
    status: 'refused',
    reason: 'eucanetd runs on this node and would undo every change: take the node over with edgepush adopt',
  },
  {
    what: 'its eucalyptus.conf is wrong',
    make: `echo 'NC_PROXY="maybe"' >> /etc/eucalyptus/eucalyptus.conf`,
    undo: 'sed -i /maybe/d /etc/eucalyptus/eucalyptus.conf',
    status: 'refused',
    reason: '/etc/eucalyptus/eucalyptus.conf:7: NC_PROXY is "maybe", it must be Y or N',
  },
  {
    what: 'it does not let us in',
    make: 'mv /root/.ssh/authorized_keys /root/.ssh/old',
    undo: 'mv /root/.ssh/old /root/.ssh/authorized_keys',
    status: 'refused',
    reason: 'refused the login as root with the key ',
    next: 'add the public key to .ssh/authorized_keys of root there',
  },
  {
    what: 'it shows another host key',
    status: 'refused',
    reason: 'but is known by ssh-ed25519 SHA256:',
    next: 'ssh-keygen -R 10.111.5.63 -f ',
  },
  {
    what: 'its host key is not known',
    status: 'refused',
    reason: 'which is not in ',
    next: ' --node nc-14 --fingerprint SHA256:',
  },
  { what: 'it does not answer', status: 'unreachable', reason: 'cannot reach nc-15 (10.111.5.65:22)' },
  {
    what: 'its kernel lacks the module that shows bridged packets to the filter',
    make: 'mount -t tmpfs tmpfs /proc/sys/net/bridge',
    undo: 'umount /proc/sys/net/bridge',
    status: 'refused',
    reason: 'br_netfilter is not loaded, bridged packets would pass unfiltered: modprobe br_netfilter',
  },
  {
    what: 'its DHCP server is kept from its own folder by AppArmor',
    make: `mkdir /tmp/confined && mount -t tmpfs tmpfs /sys/kernel/security && mkdir /sys/kernel/security/apparmor &&
      echo '/usr/sbin/dhcpd (enforce)' > /sys/kernel/security/apparmor/profiles &&
      printf '#!/bin/sh\\necho "Can'"'"'t open euca-dhcp.conf: Permission denied" >&2\\nexit 1\\n' > /tmp/confined/dhcpd &&
      chmod 755 /tmp/confined/dhcpd && mount --bind /tmp/confined/dhcpd /usr/sbin/dhcpd`,
    undo: 'umount /usr/sbin/dhcpd /sys/kernel/security',
    status: 'refused',
    reason:
      "dhcpd does not start: Can't open euca-dhcp.conf: Permission denied ; AppArmor confines dhcpd: /etc/apparmor.d/local/usr.sbin.dhcpd has to allow /var/run/eucalyptus/net",
  },
  {
    what: 'its table of connections is full',
    make: `iptables -A INPUT -m conntrack --ctstate INVALID -j DROP; ${fillConnections}`,
    undo: 'iptables -F INPUT; conntrack -F',
    status: 'unreachable',
    reason: 'cannot reach nc-18 (10.111.5.68:22)',
  },
]

const healthy = 'nc-01'
const nameOf = (index: number) => `nc-${String(index + 2).padStart(2, '0')}`
const named = (what: string) => nameOf(defects.findIndex((defect) => defect.what === what))

const world: World = {
  instances: {
    'i-0a0a0a0a': { node: healthy, groups: ['sg-aaaaaaaa'] },
    'i-0b0b0b0b': { node: named('its DHCP server is kept from its own folder by AppArmor'), groups: ['sg-aaaaaaaa'] },
  },
  groups: { 'sg-aaaaaaaa': ['tcp 22 from anywhere'] },
}

describeLab('a push to nodes that cannot be served', () => {
  let lab: Lab
  let before: Readonly<Record<string, Dump>>
  let after: Readonly<Record<string, Dump>>
  let pushed: Pushed
  const view = ['--view', 'view.xml', '--force', 'nodes']

  beforeAll(async () => {
    lab = await startLab({ nodes: defects.length + 1, world })
    await Promise.all(defects.map(({ make }, index) => make && lab.node(nameOf(index)).run(make)))
    const { address } = lab.node(named('the view does not know it'))
    await writeFile(
      join(lab.files.directory, 'view.xml'),
      lab.view(world).replace(`<node name="${address}"><instanceIds/></node>`, ''),
    )
    await spoilInventory(lab)
    await spoilHostKeys(lab, lab.node(named('it shows another host key')), lab.node(named('its host key is not known')))
    before = await dumpAll(lab)
    await lab.node(named('it does not answer')).cut()
    pushed = await push(lab, view)
    after = await dumpAll(lab)
  })
  afterAll(() => lab?.stop())

  it('serves the node that can be', () => {
    expect(pushed.outcomes[healthy]).toMatchObject({ status: 'converged' })
    expect(pushed.code).toBe(3)
  })

  it.each(defects.map((defect, index) => ({ ...defect, node: nameOf(index) })))(
    'leaves a node as it was when $what',
    ({ node, status, reason, next }) => {
      const outcome = pushed.outcomes[node]
      expect(outcome).toMatchObject({ status, reason: expect.stringContaining(reason) })
      expect(outcome?.next ?? '').toContain(next ?? '')
      expect(after[node]).toEqual(before[node])
    },
  )

  describe('says by its exit code what the worst was', () => {
    const nodes = (...whats: readonly string[]) => whats.flatMap((what) => ['--node', named(what)])

    it.each([
      ['nodes that do not answer', ['it does not answer'], 6],
      ['and a host key that is not the one we know', ['it does not answer', 'it shows another host key'], 77],
      ['and a login that was refused', ['it does not let us in', 'its host key is not known'], 77],
      ['and a node that refused', ['it does not answer', 'it shows another host key', 'it lacks tools'], 3],
    ] as const)('%s', async (_, whats, code) => {
      const narrowed = await push(lab, [...view, ...nodes(...whats)])
      expect(new Set(Object.keys(narrowed.outcomes))).toEqual(new Set(whats.map(named)))
      expect(narrowed.code).toBe(code)
    })
  })

  it('begins no further stage after a canary that was refused', async () => {
    const playbook = await readFile(lab.files.playbook, 'utf8')
    const canary = named('it forwards nothing')
    const stages = `stages:\n  - { name: canary, targets: [${canary}] }\n  - { name: rest, targets: [${healthy}] }\n`
    await writeFile(join(lab.files.directory, 'push.yml'), playbook.slice(0, playbook.indexOf('stages:')) + stages)
    const { code, stdout, stderr } = await lab.edgepush(['push', 'push.yml', ...view])
    await writeFile(lab.files.playbook, playbook)

    expect(code).toBe(4)
    expect(stdout).toMatch(new RegExp(`^${healthy} +not-attempted`, 'm'))
    expect(stdout).toContain('2 nodes: 1 refused, 1 not-attempted')
    expect(stderr).toContain(`stage canary had failures (${canary}) and ends the run: it has no budget for failures`)
  })

  it('remembers why, for those who ask later', async () => {
    const { stdout, code } = await lab.edgepush(['status', 'push.yml'])
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`^${named('it lacks tools')} +refused at stage`, 'm'))
    expect(stdout).toContain(`${named('it lacks tools')}: this node lacks: ipset dhcpd`)
  })

  it('serves all of them when they are mended', async () => {
    await Promise.all(defects.map(({ undo }, index) => undo && lab.node(nameOf(index)).run(undo)))
    await lab.node(named('it does not answer')).mend()
    await mendFiles(lab)
    const { code, outcomes } = await push(lab)
    expect(Object.values(outcomes).filter(({ status }) => status !== 'converged' && status !== 'unchanged')).toEqual([])
    expect(code).toBe(0)
  })
})

let kept: { readonly inventory: string; readonly hosts: string }

async function spoilInventory(lab: Lab): Promise<void> {
  const [inventory, hosts] = await Promise.all([
    readFile(lab.files.inventory, 'utf8'),
    readFile(lab.files.knownHosts, 'utf8'),
  ])
  kept = { inventory, hosts }
  const lines = inventory.split('\n').map((line) => {
    const index = defects.findIndex((_, place) => line.startsWith(`  ${nameOf(place)}:`))
    const more = defects[index]?.inventory
    return more?.startsWith('options') ? line.replace(' }', `, ${more} }`) : line
  })
  await writeFile(lab.files.inventory, lines.join('\n'))
}

/** One has the key of somebody else, of the other nothing is known. */
async function spoilHostKeys(lab: Lab, changed: LabNode, unknown: LabNode): Promise<void> {
  const lines = kept.hosts.split('\n').filter((line) => !line.startsWith(`${unknown.address} `))
  const other = lines.find((line) => line.startsWith(`${lab.node(healthy).address} `)) ?? ''
  const spoilt = lines.filter((line) => !line.startsWith(`${changed.address} `))
  await writeFile(lab.files.knownHosts, spoilt.join('\n'))
  await appendFile(lab.files.knownHosts, `${other.replace(/^\S+/, changed.address)}\n`)
}

async function mendFiles(lab: Lab): Promise<void> {
  await Promise.all([writeFile(lab.files.inventory, kept.inventory), writeFile(lab.files.knownHosts, kept.hosts)])
}
