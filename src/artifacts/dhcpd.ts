/**
 * The DHCP server of the node's instances: its file, and the daemon that answers on the bridge.
 *
 * Invariants: the file is published by rename and after everything else, because the node controller starts an instance
 * as soon as its line is there; the daemon is restarted only when the file has changed or it is not running; a node
 * without instances has neither. Where the node has Eucalyptus' own unit for the daemon, that unit runs it.
 */

import { DHCPD } from './alike.ts'
import { type Artifact, sh } from './artifact.ts'

const FUNCTIONS = sh`
dhcpd_parent=$eucalyptus/var/run/eucalyptus
dhcpd_folder=$dhcpd_parent/net
dhcpd_unit="eucanetd-dhcpd@$VNET_BRIDGE.service"
dhcpd_managed() { [ -z "$rehearsing" ] && [ -d /run/systemd/system ] && systemctl cat "$dhcpd_unit" > /dev/null 2>&1; }
dhcpd_pid() { find_process "$dhcpd_folder/euca-dhcp.pid" 'dhcpd .*euca-dhcp.conf'; }
dhcpd_running() { if dhcpd_managed; then systemctl is-active --quiet "$dhcpd_unit"; else dhcpd_pid; fi; }
dhcpd_stop() {
  if dhcpd_managed; then systemctl stop "$dhcpd_unit"; return; fi
  dhcpd_pid || return 0
  kill "$pid"
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    # A process that ends loses its command line before it lets go of its sockets.
    grep -q '^State:.[^XZ]' "/proc/$pid/status" 2> /dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid"
}
dhcpd_start() {
  if dhcpd_managed; then systemctl restart "$dhcpd_unit"; return; fi
  # With a number in that file that somebody else has by now, it would not start.
  dhcpd_stop && rm -f "$dhcpd_folder/euca-dhcp.pid" || return 1
  # What it says comes through a pipe: where AppArmor confines it, it may not write to a file of ours.
  said=$(dhcpd -4 -cf "$dhcpd_folder/euca-dhcp.conf" "$VNET_BRIDGE" < /dev/null 2>&1 3>&- 9>&-) && return
  complain "dhcpd does not start: $(printf '%s\n' "$said" | sed -e '/^If you think/,$d' -e '/^\(Internet\|Copyright\|All rights\|For info\|Config file\|Database\|PID\|Wrote\|Listening\|Sending\|WARNING\|$\)/d' | head -n 2 | tr '\n' ' ')"
  case $said in *'ermission denied'*) ! dhcpd_confined || complain "AppArmor confines dhcpd: /etc/apparmor.d/local/usr.sbin.dhcpd has to allow $dhcpd_folder" ;; esac
  return 1
}
dhcpd_confined() { grep -qs 'dhcpd (enforce)$' /sys/kernel/security/apparmor/profiles; }`

export const dhcpd: Artifact = {
  name: 'dhcpd',
  file: 'dhcpd.conf',
  needs: ['dhcpd'],
  functions: FUNCTIONS,
  leave: '',
  tidy: sh`[ ! -e "$dhcpd_folder/euca-dhcp.conf.next" ] || rm -f "$dhcpd_folder/euca-dhcp.conf.next"`,
  check: sh`
ip link show dev "$VNET_BRIDGE" > /dev/null 2>&1 || { complain "there is no bridge $VNET_BRIDGE (VNET_BRIDGE)"; return 1; }
[ -d "$dhcpd_parent" ] || { complain "there is no $dhcpd_parent: is this a node controller?"; return 1; }`,
  world: sh`
ip link show dev "$VNET_BRIDGE" > /dev/null 2>&1 || ip link add "$VNET_BRIDGE" type bridge || return 1
ip link set "$VNET_BRIDGE" up || return 1
awk -v bridge="$VNET_BRIDGE" '$2 == bridge && $4 !~ /\/32$/ { print "addr replace " $4 " dev " bridge }' "$work/addresses.host" | ip -batch - || return 1
mount -t tmpfs -o mode=755 edgepush "$dhcpd_parent" && mkdir -p "$dhcpd_folder"`,
  steps: {
    loosen: sh`
conf=$dhcpd_folder/euca-dhcp.conf
if [ ! -f "$want/dhcpd.conf" ]; then dhcpd_stop && rm -f "$conf" "$dhcpd_folder"/euca-dhcp.leases* "$dhcpd_folder/euca-dhcp.pid"; return; fi
# Going back to a file without its daemon: eucanetd leaves a node like that when its last instance is gone.
answers=yes
[ ! -f "$want/expected/dhcpd" ] || grep -q '^#=' "$want/expected/dhcpd" || answers=
[ -n "$answers" ] || dhcpd_stop || return 1
cmp -s "$want/dhcpd.conf" "$conf" && { [ -z "$answers" ] || dhcpd_running; } && return
mkdir -p "$dhcpd_folder" || return 1
( umask 022; cat "$want/dhcpd.conf" > "$conf.next" && sync "$conf.next" && mv -f "$conf.next" "$conf" ) || return 1
[ -e "$dhcpd_folder/euca-dhcp.leases" ] || : > "$dhcpd_folder/euca-dhcp.leases" || return 1
[ -z "$answers" ] || dhcpd_start`,
  },
  show: sh`
[ ! -e "$dhcpd_folder/euca-dhcp.conf" ] || cat "$dhcpd_folder/euca-dhcp.conf"
if dhcpd_running; then echo "#= a daemon answers on $VNET_BRIDGE"; fi`,
  alike: DHCPD,
}
