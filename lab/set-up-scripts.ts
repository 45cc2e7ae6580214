// What a host does to itself once its namespaces exist and its interfaces are plugged in: one shell script per host,
// run by its PID 1 (so /proc and /sys below are the host's own).
//
// Invariant: nothing outside the host's mount namespace is written. /etc and /var are overlays whose upper layers,
// like /run, /tmp and /root, are tmpfs of that namespace; the real /root/.ssh, /etc/ssh and shell rc files are out
// of sight of the host's sshd and of its sessions.

import { join } from 'node:path'
import type { HostPlan, NodePlan } from './plan-lab.ts'
import { packageRoot } from './start-agent.ts'

/** Everything the VM and the outside host are sent on any port lands on this one, where the agent listens. */
export const catchAllPort = 7

export function nodeScript(node: NodePlan, files: string): string {
  return lines(
    opening(node.name),
    sysctl('net/ipv4/ip_forward', 1),
    sysctl('net/bridge/bridge-nf-call-iptables', 1),
    ip([...(node.bridgeAddresses.length > 0 ? bridge(node) : []), ...addressing(node)]),
    ...(node.bridgeAddresses.length > 0 ? [] : [standInForVlans()]),
    ownFiles(files),
    'mkdir -p /run/eucalyptus/net',
    ownBootId,
    startSshd,
  )
}

/** A cluster controller, which is a router. */
export function clusterScript(controller: HostPlan, files: string, vlans: boolean): string {
  return lines(
    opening(controller.name),
    sysctl('net/ipv4/ip_forward', 1),
    sysctl('net/ipv4/conf/all/send_redirects', 0),
    sysctl('net/bridge/bridge-nf-call-iptables', 0),
    ip(addressing(controller)),
    ...(vlans ? [standInForVlans()] : []),
    ownFiles(files),
    'mkdir -p /run/eucalyptus/net',
    ownBootId,
    startSshd,
  )
}

export function controllerScript(clc: HostPlan, files: string): string {
  return lines(opening(clc.name), ip(addressing(clc)), ownFiles(files), startSshd)
}

export function routerScript(router: HostPlan): string {
  const quiet = sysctl('net/ipv4/conf/all/send_redirects', 0) + sysctl('net/ipv4/conf/default/send_redirects', 0)
  return lines(quiet, opening(router.name), sysctl('net/ipv4/ip_forward', 1), ip(addressing(router)))
}

export function outsideScript(outside: HostPlan): string {
  return lines(opening(outside.name), ip(addressing(outside)), catchAllPorts)
}

// The admin runs the CLI from this machine's files; only the real ~/.ssh is covered, for ssh reads it whatever HOME is.
export function adminScript(admin: HostPlan): string {
  return lines(
    opening(admin.name),
    'if [ -d /root/.ssh ]; then mount -t tmpfs tmpfs /root/.ssh; fi',
    ip(addressing(admin)),
  )
}

export function switchScript(): string {
  return lines(opening('switch'), sysctl('net/bridge/bridge-nf-call-iptables', 0))
}

export function machineScript(name: string): string {
  return lines(opening(name), ip(['link set lo up', 'link set eth0 up']), catchAllPorts)
}

/** For `ip -batch` in the switches' namespace. */
export function switches(names: readonly string[]): string {
  return lines(
    ...names.flatMap((name) => [
      `link add ${name} type bridge forward_delay 0 mcast_snooping 0`,
      `link set ${name} up`,
    ]),
  )
}

/** The same, for a cable from each leg of a host to its switch; pid is the host's. */
export function cables(host: HostPlan, pid: number): string {
  return lines(
    ...host.legs.flatMap((leg) => {
      const port = switchPort(host.name, leg.device)
      const mac = leg.mac ? ` address ${leg.mac}` : ''
      return [
        `link add ${port} type veth peer name ${leg.device}${mac} netns ${pid}`,
        `link set ${port} master ${leg.switch} up`,
      ]
    }),
  )
}

export function switchPort(host: string, device: string): string {
  return `${host}.${device}`
}

// IPv6 is off for quiet: no duplicate address detection, no router solicitations among a test's packets.
function opening(name: string): string {
  return lines(
    'mount -t sysfs sysfs /sys',
    'mount -t tmpfs tmpfs /run',
    'mkdir -p /run/lock /run/sshd',
    `echo ${name} > /proc/sys/kernel/hostname`,
    ...['all', 'default'].map((scope) => sysctl(`net/ipv4/conf/${scope}/rp_filter`, 0)),
    ...['all', 'default'].map((scope) => sysctl(`net/ipv6/conf/${scope}/disable_ipv6`, 1)),
  )
}

function bridge({ bridgeMac, bridgeAddresses, legs }: NodePlan): readonly string[] {
  return [
    `link add br0 address ${bridgeMac} type bridge forward_delay 0 mcast_snooping 0`,
    `link set ${legs.at(-1)?.device ?? ''} master br0 up`,
    ...bridgeAddresses.map((address) => `addr add ${address} broadcast + dev br0`),
    'link set br0 up',
  ]
}

/** Only what asks this host's ip for a VLAN device gets another, and the file of this machine is as it was. */
function standInForVlans(): string {
  return lines(
    'if [ ! -e /proc/net/vlan ]; then',
    '  mkdir -p /run/stand-in',
    '  : > /run/stand-in/ip',
    '  mount --bind /bin/ip /run/stand-in/ip',
    `  mount --bind ${join(packageRoot(), 'lab/stand-in/ip')} /bin/ip`,
    'fi',
  )
}

function addressing(host: HostPlan): readonly string[] {
  const legs = host.legs.flatMap((leg) => [
    `link set ${leg.device} up`,
    ...leg.addresses.map((address) => `addr add ${address} broadcast + dev ${leg.device}`),
  ])
  const route = host.gateway ? [`route add default via ${host.gateway}`] : []
  return ['link set lo up', ...legs, ...route]
}

function ownFiles(files: string): string {
  return lines(
    `layers=${files}.layers`,
    'mkdir -p "$layers"',
    'mount -t tmpfs tmpfs "$layers"',
    'for name in etc var; do',
    '  mkdir "$layers/$name" "$layers/$name.work"',
    '  mount -t overlay overlay -o "lowerdir=/$name,upperdir=$layers/$name,workdir=$layers/$name.work" "/$name"',
    'done',
    'mount -t tmpfs -o mode=0700 tmpfs /root',
    'rm -rf /etc/ssh /etc/eucalyptus /etc/systemd /var/lib/edgepush',
    'mkdir -p /etc/systemd/system',
    `cp -R ${files}/. /`,
    'chmod 0600 /etc/ssh/ssh_host_ed25519_key',
    // A locked root account ("!") is refused by sshd when PAM is off.
    'sed -i "s/^root:[^:]*/root:*/" /etc/shadow',
    ': > /etc/bash.bashrc',
    'mount -t tmpfs -o mode=1777 tmpfs /tmp',
  )
}

// sshd goes into the background before it listens; its pid file comes after.
const startSshd = lines(
  '/usr/sbin/sshd -E /run/sshd.log',
  'for _ in $(seq 500); do if [ -s /run/sshd.pid ]; then break; fi; sleep 0.01; done',
  'if ! [ -s /run/sshd.pid ]; then cat /run/sshd.log; exit 1; fi',
)

const ownBootId = lines(
  'cat /proc/sys/kernel/random/uuid > /run/boot_id',
  'mount --bind /run/boot_id /proc/sys/kernel/random/boot_id',
)

const catchAllPorts = lines(
  'iptables-restore <<END',
  '*nat',
  `-A PREROUTING -i eth0 -p tcp -j REDIRECT --to-ports ${catchAllPort}`,
  `-A PREROUTING -i eth0 -p udp -m udp ! --dport 67:68 -j REDIRECT --to-ports ${catchAllPort}`,
  'COMMIT',
  'END',
)

function sysctl(key: string, value: number): string {
  return `if [ -e /proc/sys/${key} ]; then echo ${value} > /proc/sys/${key}; fi\n`
}

function ip(commands: readonly string[]): string {
  return lines("ip -batch - <<'END'", ...commands, 'END')
}

function lines(...parts: readonly string[]): string {
  return parts.map((part) => (part.endsWith('\n') ? part : `${part}\n`)).join('')
}
