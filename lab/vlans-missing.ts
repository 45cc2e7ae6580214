// Whether this kernel can tag frames. Where it cannot, VLAN devices of the lab are stood in for (stand-in/ip).

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

export function vlansMissing(): boolean {
  if (existsSync('/proc/net/vlan')) return false
  return spawnSync('modprobe', ['8021q']).status !== 0 || !existsSync('/proc/net/vlan')
}
