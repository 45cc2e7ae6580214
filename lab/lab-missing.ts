// What this machine lacks for a lab, in words that say what to do. Kernel features are not looked up but tried, in
// namespaces that are thrown away.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { hostEnv } from './machinery.ts'

/** Commands, and the package of Debian and Ubuntu that has them. */
const packages: Readonly<Record<string, readonly string[]>> = {
  bash: ['bash'],
  busybox: ['busybox'],
  conntrack: ['conntrack'],
  ebtables: ['ebtables', 'ebtables-restore'],
  ipset: ['ipset'],
  iproute2: ['ip', 'bridge'],
  iptables: ['iptables', 'iptables-restore', 'iptables-save'],
  'iputils-arping': ['arping'],
  'isc-dhcp-server': ['dhcpd'],
  'openssh-client': ['ssh', 'ssh-keygen'],
  'openssh-server': ['sshd'],
  'perl-base': ['perl'],
  sudo: ['sudo'],
  'util-linux': ['unshare', 'nsenter', 'mount', 'flock'],
}

const trial = `
try() { what=$1; shift; "$@" >/dev/null 2>&1 || echo "$what"; }
try 'a tmpfs in a mount namespace' mount -t tmpfs tmpfs /run
try 'a sysfs in a network namespace' mount -t sysfs sysfs /sys
mkdir /run/upper /run/work
try 'an overlay file system over /etc (module overlay)' \
  mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc
try 'veth pairs (module veth)' ip link add one type veth peer name two
try 'a bridge (module bridge)' ip link add br0 type bridge
try 'packet filters that see bridged packets (module br_netfilter)' test -w /proc/sys/net/bridge/bridge-nf-call-iptables
try 'IP sets (modules ip_set, ip_set_hash_net)' ipset create lab hash:net
try 'iptables matching sets (module xt_set)' iptables -A FORWARD -m set --match-set lab dst -j ACCEPT
try 'iptables matching bridge ports (module xt_physdev)' iptables -A FORWARD -m physdev --physdev-in vn_i+ -j ACCEPT
try 'iptables nat (module iptable_nat or nft_chain_nat)' iptables -t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 7
try 'iptables raw (module iptable_raw)' iptables -t raw -A PREROUTING -s 192.0.2.1
try 'ebtables (modules ebtables, ebt_arpreply)' \
  ebtables -t nat -A PREROUTING -p ARP -j arpreply --arpreply-mac 02:00:00:00:00:01
`

const trialTimeout = 20_000

/** Empty when a lab can be started. */
export function labMissing(): readonly string[] {
  if (process.platform !== 'linux') return [`Linux: this is ${process.platform}`]
  if (process.getuid?.() !== 0) return ['root: namespaces, bridges and packet filters need it (run with sudo)']

  const commands = absentCommands().map(([name, absent]) => `${absent.join(', ')}: apt-get install ${name}`)
  if (commands.length > 0) return commands

  loadBridgeFilter()
  const namespaces = ['--net', '--mount', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc']
  const { status, stdout, stderr, error } = spawnSync('unshare', [...namespaces, 'sh', '-c', trial], {
    encoding: 'utf8',
    env: hostEnv,
    timeout: trialTimeout,
  })
  if (status === null) return [`namespaces: ${error?.message ?? 'the trial was killed'}`]
  if (stderr !== '' && stdout === '') return [`network, mount, UTS and PID namespaces: ${stderr.trim()}`]
  return stdout.split('\n').flatMap((what) => (what === '' ? [] : [`in the kernel: ${what}`]))
}

/**
 * The packages that labMissing() would name, for an installation.
 * @public set-up.sh asks for them
 */
export function missingPackages(): readonly string[] {
  return absentCommands().map(([name]) => name)
}

function absentCommands(): readonly (readonly [name: string, absent: readonly string[]])[] {
  const isAbsent = (command: string) => !hostEnv.PATH.split(':').some((folder) => existsSync(join(folder, command)))
  return Object.entries(packages)
    .map(([name, needed]) => [name, needed.filter(isAbsent)] as const)
    .filter(([, absent]) => absent.length > 0)
}

/** On a fresh system nobody has loaded it yet. Whether that helped is seen by those who need it. */
export function loadBridgeFilter(): void {
  if (!existsSync('/proc/sys/net/bridge')) spawnSync('modprobe', ['br_netfilter'], { stdio: 'ignore' })
}

/** Likewise. Where the kernel has no VLANs at all, they are stood in for (set-up-scripts.ts). */
export function loadVlans(): void {
  if (!existsSync('/proc/net/vlan')) spawnSync('modprobe', ['8021q'], { stdio: 'ignore' })
}
