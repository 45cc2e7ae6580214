// What of a node's tools, tables, disks and interfaces may not be as it should be before a push begins.

import type { LabNode } from '../../../lab/make-node.ts'
import type { Status } from '../../../src/run/outcome.ts'
import { breakTool, mendTools } from '../sabotage.ts'
import { chooseLegacy } from '../use-legacy.ts'
import { bringPolicy, confined } from './security-module.ts'

interface Fault {
  readonly what: string
  readonly make: (node: LabNode) => Promise<unknown>
  readonly undo: string | ((node: LabNode) => Promise<void>)
  readonly status: Status
  /** Of a node that is refused. */
  readonly reason?: string
  /** Of a node that is served. */
  readonly notes?: readonly string[]
}

const lockFor = (seconds: number) => `
  (setsid flock /run/xtables.lock sleep ${seconds} < /dev/null > /dev/null 2>&1 3>&- 9>&- & echo $! > /tmp/holder)
  until ! flock -n /run/xtables.lock true; do sleep 0.01; done`
const takeLock = lockFor(600)

/** So that tables which are empty and tables which were never there look alike. */
const tables = `
for table in filter nat raw; do iptables -t $table -N x; iptables -t $table -X x; done
for table in filter nat; do ebtables -t $table -N x; ebtables -t $table -X x; done`

/** In Debian's way. */
const chooseEbtables = (kind: 'legacy' | 'nft') => `
for tool in ebtables ebtables-save ebtables-restore; do
  ln -sf "/usr/sbin/$(echo $tool | sed s/ebtables/ebtables-${kind}/)" "/etc/alternatives/$tool"
done`

const state = '/var/lib/edgepush'
const unreadable = "dhcpd does not start: Can't open /var/run/eucalyptus/net/euca-dhcp.conf: Permission denied"
export const rolledBack = 'rolled-back' as const
export const refused = 'refused' as const
export const converged = 'converged' as const

export const toolFaults: readonly Fault[] = [
  {
    what: 'somebody has the lock of xtables, and never lets go of it',
    make: (node) => node.run(chooseLegacy + takeLock),
    undo: 'kill -- -$(cat /tmp/holder)',
    status: refused,
    reason: 'Another app is currently holding the xtables lock. Stopped waiting after 20s.',
  },
  {
    what: 'somebody takes the lock of xtables while it commits, and never lets go of it',
    make: async (node) => {
      await node.run(`${chooseLegacy}\n${tables}`)
      await breakTool(node, 'iptables-restore', { does: takeLock })
    },
    undo: async (node) => {
      await node.run('kill -- -$(cat /tmp/holder)')
      await mendTools(node)
    },
    status: rolledBack,
    reason: 'Stopped waiting after 20s',
  },
  {
    what: 'somebody has the lock of xtables for some seconds',
    make: (node) => node.run(chooseLegacy + lockFor(5)),
    undo: ':',
    status: converged,
  },
  {
    what: 'the lock of xtables cannot be opened',
    make: (node) => node.run(`${chooseLegacy}; mkdir /run/xtables.lock`),
    undo: 'rmdir /run/xtables.lock',
    status: refused,
    reason: "Fatal: can't open lock file /run/xtables.lock: Is a directory",
  },
  {
    what: 'nft made a table that iptables cannot read',
    make: (node) =>
      node.run(
        `nft 'add table ip filter; add chain ip filter own; add rule ip filter own ct state vmap { new : accept }'`,
      ),
    undo: 'nft delete table ip filter',
    status: refused,
    reason: 'cannot read a table that nft made',
  },
  {
    what: 'chains of ours are in the tables that the iptables in use does not show',
    make: (node) => node.run('iptables-legacy -N sg-00000000 && iptables-legacy -A FORWARD -j sg-00000000'),
    undo: 'iptables-legacy -F && iptables-legacy -X',
    status: refused,
    reason: 'but there are chains of ours that only iptables-legacy shows, and both filter: make it the one in use',
  },
  {
    what: 'other people have rules in the tables that the iptables in use does not show',
    make: (node) => node.run('iptables-legacy -A FORWARD -s 203.0.113.1 -j DROP'),
    undo: ':',
    status: converged,
  },
  {
    what: 'its ebtables are those of before nftables, for which its kernel has no tables',
    make: (node) => node.run(chooseEbtables('legacy')),
    undo: chooseEbtables('nft'),
    status: refused,
    reason: "The kernel doesn't support the ebtables 'nat' table",
  },
  {
    what: 'its iptables-restore is so old that it cannot wait for the lock',
    make: (node) =>
      node.run(
        `${chooseLegacy}
        cat > /tmp/iptables-restore && chmod +x /tmp/iptables-restore && ln -sf /tmp/iptables-restore /etc/alternatives/`,
        {
          stdin: `#!/bin/sh
for word; do [ "$word" != -w ] || { echo "iptables-restore: unrecognized option '-w'" >&2; exit 1; }; done
exec /usr/sbin/iptables-legacy-restore "$@"\n`,
        },
      ),
    undo: chooseLegacy,
    status: refused,
    reason: "iptables switch: iptables-restore: unrecognized option '-w'",
  },
  {
    what: 'a security module keeps its DHCP server from reading its file, wherever that is',
    make: async (node) => {
      await bringPolicy(node)
      await node.run(`cp /usr/sbin/dhcpd /tmp/dhcpd && printf '#!/bin/sh\nname=dhcpd\n%s\n' '${confined('/tmp/dhcpd')}' > /tmp/policy
        chmod +x /tmp/policy && mount --bind /tmp/policy /usr/sbin/dhcpd`)
    },
    undo: 'umount /usr/sbin/dhcpd',
    status: refused,
    reason: unreadable,
  },
  {
    what: 'a security module keeps its DHCP server from reading its file, but not that of a rehearsal',
    make: async (node) => {
      await bringPolicy(node)
      await node.run(tables)
      const does = confined('$(readlink -f "/tmp/wrapped/real/$name.as")')
      await breakTool(node, 'dhcpd', { does }, { times: 'always' })
    },
    undo: mendTools,
    status: rolledBack,
    reason: unreadable,
  },
  {
    what: 'nothing can be rehearsed',
    make: (node) =>
      node.run(`printf '#!/bin/sh\\necho "unshare failed: No space left on device" >&2; exit 1\\n' > /tmp/unshare
        chmod +x /tmp/unshare && mount --bind /tmp/unshare /usr/bin/unshare`),
    undo: 'umount /usr/bin/unshare',
    status: refused,
    reason: 'the rehearsal failed: unshare failed: No space left on device',
  },
  {
    what: 'nothing on its disks may be executed',
    make: (node) =>
      node.run(`mkdir ${state} && mount -t tmpfs -o noexec tmpfs ${state} && mount -o remount,noexec /tmp
      mount -o remount,noexec /run`),
    undo: ':',
    status: converged,
  },
  {
    what: 'its disk is read-only after errors',
    make: (node) => node.run(`mkdir ${state} && mount -t tmpfs -o ro tmpfs ${state}`),
    undo: `umount ${state}`,
    status: refused,
    reason: '/var/lib/edgepush cannot be written',
  },
  {
    what: 'its public interface is down',
    make: (node) => node.run('ip link add pub0 type bridge'),
    undo: ':',
    status: converged,
    notes: ['the interface pub0 is down: nobody reaches the elastic addresses on it'],
  },
  {
    what: 'its arping is the other one',
    make: (node) =>
      node.run(`printf '#!/bin/sh\\n[ "$1" = -V ] || echo "$*" >> /tmp/announced\\necho "ARPing 2.23"\\n' > /tmp/arping
        chmod +x /tmp/arping && mount --bind /tmp/arping "$(readlink -f "$(command -v arping)")"`),
    undo: ':',
    status: converged,
  },
  {
    what: 'another machine has its elastic IP already',
    make: async () => undefined,
    undo: ':',
    status: converged,
  },
  {
    what: 'a rule stands where ours will be, and lets through',
    make: (node) => node.run('iptables -A FORWARD -s 203.0.113.0/24 -j ACCEPT'),
    undo: ':',
    status: converged,
  },
]
