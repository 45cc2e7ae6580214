/**
 * The DHCP server of instances: its file, and the daemon that answers.
 *
 * Invariants: the file is published by rename and after everything else, because the node controller starts an instance
 * as soon as its line is there; the daemon is restarted only when the file has changed or it is not running, and runs only
 * where the file has hosts. Where the node has Eucalyptus' own unit for the daemon, that unit runs it.
 */

import { DHCPD } from './alike.ts'
import { type Artifact, sh } from './artifact.ts'

interface Service {
  /** Which program it is; this and what follows as they stand between double quotes in shell. */
  readonly daemon: string
  /** The device that it answers on; empty for every device whose network the file has. */
  readonly device: string
  /** Eucalyptus' own unit that runs it; empty where it has none. */
  readonly unit: string
}

const functions = ({ daemon, device, unit }: Service) => sh`
dhcpd_parent=$eucalyptus/var/run/eucalyptus
dhcpd_folder=$dhcpd_parent/net
dhcpd_unit="${unit}"
dhcpd_managed() { [ -n "$dhcpd_unit" ] && [ -z "$rehearsing" ] && [ -d /run/systemd/system ] && systemctl cat "$dhcpd_unit" > /dev/null 2>&1; }
dhcpd_pid() { find_process "$dhcpd_folder/euca-dhcp.pid" '*-cf*euca-dhcp.conf*'; }
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
  dhcpd_stop || return 1
  [ ! -e "$dhcpd_folder/euca-dhcp.pid" ] || rm -f "$dhcpd_folder/euca-dhcp.pid" || return 1
  # What it says comes through a pipe: where AppArmor confines it, it may not write to a file of ours. A daemon that hangs
  # before it lets go of the pipe is not waited for.
  {
    "${daemon}" -4 -cf "$dhcpd_folder/euca-dhcp.conf" -lf "$dhcpd_folder/euca-dhcp.leases" -pf "$dhcpd_folder/euca-dhcp.pid"${device && ` "${device}"`} 2>&1
    printf '\n#ended %s\n' $?
  } < /dev/null 3>&- 9>&- | while read -r first rest; do
    case $first in '#ended') exit "$rest" ;; ?*) printf '%s\n' "$first $rest" ;; esac
  done > "$work/dhcpd.said" && return
  said=$(cat "$work/dhcpd.said")
  complain "dhcpd does not start: $(printf '%s\n' "$said" | sed -e '/^If you think/,$d' -e '/^\(Internet\|Copyright\|All rights\|For info\|Config file\|Database\|PID\|Wrote\|Listening\|Sending\|WARNING\|$\)/d' | head -n 2 | tr '\n' ' ')"
  case $said in *'ermission denied'*) ! dhcpd_confined || complain "AppArmor confines dhcpd: /etc/apparmor.d/local/usr.sbin.dhcpd has to allow $dhcpd_folder" ;; esac
  return 1
}
dhcpd_confined() { grep -qs 'dhcpd (enforce)$' /sys/kernel/security/apparmor/profiles; }`

const checkDaemon = (daemon: string) => sh`
[ -x "${daemon}" ] || { complain "there is no DHCP server ${daemon}"; return 1; }`

const checkDevice = (device: string) => sh`
[ -e "/sys/class/net/${device}" ] || { complain "there is no interface ${device}"; return 1; }`

const makeDevice = (device: string) => sh`
stand_in "${device}" || return 1
awk -v device="${device}" '$2 == device && $4 !~ /\/32$/ { print "addr replace " $4 " dev " device }' "$work/addresses.host" | ip -batch - || return 1`

export function dhcpd(service: Service): Artifact {
  const { daemon, device } = service
  const isCommand = /^[a-z]+$/.test(daemon)
  return {
    name: 'dhcpd',
    file: 'dhcpd.conf',
    needs: isCommand ? [daemon] : [],
    functions: functions(service),
    leave: '',
    tidy: sh`[ ! -e "$dhcpd_folder/euca-dhcp.conf.next" ] || rm -f "$dhcpd_folder/euca-dhcp.conf.next"`,
    check: sh`${device && checkDevice(device)}
${isCommand ? '' : checkDaemon(daemon)}
[ -d "$dhcpd_parent" ] || { complain "there is no $dhcpd_parent: is Eucalyptus installed here?"; return 1; }`,
    world: sh`${device && makeDevice(device)}
mount -t tmpfs -o mode=755 edgepush "$dhcpd_parent" && mkdir -p "$dhcpd_folder"`,
    steps: {
      loosen: sh`
conf=$dhcpd_folder/euca-dhcp.conf
if [ ! -f "$want/dhcpd.conf" ]; then dhcpd_stop && rm -f "$conf" "$dhcpd_folder"/euca-dhcp.leases* "$dhcpd_folder/euca-dhcp.pid"; return; fi
answers=yes
grep -q '^ *host ' "$want/dhcpd.conf" || answers=
# Going back to a file without its daemon: eucanetd leaves a node like that when its last instance is gone.
[ ! -f "$want/expected/dhcpd" ] || grep -q '^#=' "$want/expected/dhcpd" || answers=
[ -n "$answers" ] || dhcpd_stop || return 1
[ -e "$conf" ] && cmp -s "$want/dhcpd.conf" "$conf" && { [ -z "$answers" ] || dhcpd_running; } && return
[ -d "$dhcpd_folder" ] || mkdir -p "$dhcpd_folder" || return 1
( umask 022; cat "$want/dhcpd.conf" > "$conf.next" && sync "$conf.next" && mv -f "$conf.next" "$conf" ) || return 1
[ -e "$dhcpd_folder/euca-dhcp.leases" ] || : > "$dhcpd_folder/euca-dhcp.leases" || return 1
[ -z "$answers" ] || dhcpd_start`,
    },
    show: sh`
[ ! -e "$dhcpd_folder/euca-dhcp.conf" ] || cat "$dhcpd_folder/euca-dhcp.conf"
if dhcpd_running; then echo "#= a daemon answers${device && ` on ${device}`}"; fi`,
    alike: DHCPD,
  }
}
