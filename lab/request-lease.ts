// The DHCP client of a virtual machine: busybox udhcpc, with a script that takes over what it was given and prints it.

import { join } from 'node:path'
import type { Host } from './open-host.ts'

export interface Lease {
  readonly address: string
  readonly prefix: number
  readonly router: string
  readonly dns: readonly string[]
  readonly domain: string
  readonly seconds: number
  readonly server: string
}

export const leaseScriptFile = 'udhcpc.sh'

export const leaseScript = `#!/bin/sh
case $1 in
deconfig) ip addr flush dev "$interface" ;;
bound | renew)
  ip addr flush dev "$interface"
  ip addr add "$ip/$mask" broadcast + dev "$interface"
  [ -z "$router" ] || ip route replace default via "\${router%% *}" dev "$interface"
  echo "lease|$ip|$mask|$router|$dns|$domain|$lease|$serverid"
  ;;
esac
`

const tries = 3
const secondsPerTry = 1

export async function requestLease(host: Host, directory: string): Promise<Lease | undefined> {
  const limits = ['-n', '-q', '-f', '-t', String(tries), '-T', String(secondsPerTry)]
  const script = join(directory, leaseScriptFile)
  const { stdout } = await host.exec(['busybox', 'udhcpc', '-i', 'eth0', ...limits, '-s', script])
  const line = stdout.split('\n').find((text) => text.startsWith('lease|'))
  if (line === undefined) return undefined

  const [, address = '', mask = '', router = '', dns = '', domain = '', seconds = '', server = ''] = line.split('|')
  const servers = dns.split(' ').filter((text) => text !== '')
  return { address, prefix: Number(mask), router, dns: servers, domain, seconds: Number(seconds), server }
}
