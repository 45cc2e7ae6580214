/**
 * Routes to networks of the cloud that another host is the way to.
 *
 * Invariant: ours are the routes of protocol 155, which nobody else uses, and no others are touched.
 */

import { type Artifact, sh } from './artifact.ts'

const PROTOCOL = 155

export const routes: Artifact = {
  name: 'routes',
  file: 'routes',
  needs: ['ip'],
  functions: sh`
routes_wanted() { [ ! -e "$want/routes" ] || grep '^[0-9]' "$want/routes"; }`,
  leave: '',
  check: '',
  // They lead over the networks that the host itself is in.
  world: sh`
for device in $(awk '{ sub(/@.*/, "", $2) } $2 != "lo" && !told[$2]++ { print $2 }' "$work/addresses.host"); do
  stand_in "$device" || return 1
done
awk '{ sub(/@.*/, "", $2) } $2 != "lo" { print "addr replace " $4 " dev " $2 }' "$work/addresses.host" | ip -batch -`,
  steps: {
    loosen: sh`
routes_wanted | sort > "$work/routes.wanted"
routes_show | sort > "$work/routes.live"
comm -13 "$work/routes.wanted" "$work/routes.live" | sed 's/^/route del /;s/$/ proto ${PROTOCOL}/' | ip -batch - || return 1
comm -23 "$work/routes.wanted" "$work/routes.live" | sed 's/^/route add /;s/$/ proto ${PROTOCOL}/' | ip -batch -`,
  },
  show: sh`ip -4 route show proto ${PROTOCOL} | awk '{ print $1, $2, $3 }' | sort`,
}
