/**
 * A bundle on a host of its own: its script checks, commits and confirms it in namespaces that are gone afterwards, with
 * the real tools and the real kernel. The kernel here may have no 802.1Q, so VLAN devices are stood in for.
 */

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bundle } from '../../src/bundle/bundle.ts'

export interface Host {
  /** Devices with their addresses, which are there from the beginning. */
  readonly devices: Readonly<Record<string, string>>
  /** Shell that is run before. */
  readonly before?: string
  /** Shell that is run after, and what it prints. */
  readonly after?: string
}

export interface Applied {
  readonly said: string
  readonly iptables: string
  readonly links: string
  readonly addresses: string
  readonly dhcpd: string
  readonly daemon: string
  /** Whether the host then says that it holds the bundle. */
  readonly held: string
  readonly after: string
}

const STAND_IN = join(import.meta.dirname, '../../lab/stand-in/ip')
const PARTS = ['said', 'iptables', 'links', 'addresses', 'dhcpd', 'daemon', 'held', 'after'] as const

/** Several bundles one after the other; what is told is of the last. */
export function applyBundles(bundles: readonly Bundle[], { devices, before = '', after = '' }: Host): Applied {
  const folder = mkdtempSync(join(tmpdir(), 'edgepush-host-'))
  try {
    for (const { digest, files } of bundles) {
      mkdirSync(join(folder, 'gen', digest), { recursive: true })
      for (const { name, text } of files) writeFileSync(join(folder, 'gen', digest, name), text)
    }
    for (const part of PARTS) writeFileSync(join(folder, part), '')
    writeFileSync(join(folder, 'script'), script(bundles, devices, before, after))
    const unshare = ['--net', '--mount', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc']
    execFileSync('unshare', [...unshare, 'sh', '-e', join(folder, 'script'), folder], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const read = (part: string) => readFileSync(join(folder, part), 'utf8')
    return Object.fromEntries(PARTS.map((part) => [part, read(part)])) as unknown as Applied
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function script(bundles: readonly Bundle[], devices: Host['devices'], before: string, after: string): string {
  return `
out=$1
mount -t tmpfs none /run && mkdir -p /run/eucalyptus/net /run/stand-in
: > /run/stand-in/ip
mount --bind /bin/ip /run/stand-in/ip
mount --bind ${STAND_IN} /bin/ip
mount -t sysfs none /sys
mount -t tmpfs none /var/lib/dhcp
mkdir -p /run/lib/edgepush && mount --bind /run/lib /var/lib
cp -r "$out/gen" /var/lib/edgepush/gen
ip link set lo up
echo 1 > /proc/sys/net/ipv4/ip_forward
${Object.entries(devices)
  .map(
    ([name, address]) =>
      `ip link add ${name} type bridge && ip link set ${name} up && ip addr add ${address} dev ${name}`,
  )
  .join('\n')}
${before}
epoch=0
for digest in ${bundles.map(({ digest }) => digest).join(' ')}; do
  epoch=$((epoch + 1))
  apply=/var/lib/edgepush/gen/$digest/apply.sh
  sh "$apply" check > "$out/said" 2>&1 &&
    echo go | sh "$apply" commit "run-$epoch" "$epoch" 60 >> "$out/said" 2>&1 &&
    sh "$apply" confirm "run-$epoch" >> "$out/said" 2>&1 || { echo "status $?" >> "$out/said"; break; }
done
iptables-save > "$out/iptables"
ip -d -o link show > "$out/links"
ip -4 -o address show > "$out/addresses"
cp /run/eucalyptus/net/euca-dhcp.conf "$out/dhcpd" 2> /dev/null || :
pgrep -a dhcpd > "$out/daemon" || :
sh "$apply" held > "$out/held" 2>&1 || :
{
${after || ':'}
} > "$out/after" 2>&1
`
}
