import { sh } from '../../artifacts/artifact.ts'
import type { NodeCheck } from '../mode.ts'

/** It answers nobody but who is in its file, so nothing can be asked of it in any other name. */
const DHCP = sh`
[ -f "$want/dhcpd.conf" ] || return 0
dhcpd_running || { complain "no DHCP server runs on $VNET_PRIVINTERFACE"; return 1; }`

export const CHECKS: readonly NodeCheck[] = [{ name: 'dhcp', shell: DHCP }]
