/** What `doctor` looks at on a host whose bridge is the administrator's; shell for several modes. */

import { sh } from '../artifacts/artifact.ts'
import { bridge } from '../artifacts/bridge.ts'

/** Nothing else is looked at where the bridge is none, or leads nowhere. */
export const BRIDGE_SYMPTOMS = sh`${bridge.functions}
trouble=$(bridge_trouble)
if [ -n "$trouble" ]; then found bridge "$trouble"; return; fi
ports=$(ip -o link show master "$VNET_BRIDGE" | awk '{ sub(/[@:].*/, "", $2); print $2 }' | tr '\n' ' ')
found bridge "$VNET_BRIDGE is up, with the ports $ports"
seen=$(ip -4 neigh show dev "$VNET_BRIDGE" | awk '$2 == "lladdr" { printf "%s%s is %s", comma, $1, $3; comma = ", " }')
[ -n "$seen" ] || seen="no address was seen on $VNET_BRIDGE"
found seen "$seen"`
