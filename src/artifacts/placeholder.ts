/**
 * The process that the node controller looks for before it takes instances: eucanetd's name without eucanetd.
 *
 * Invariants: it comes after everything that instances need, so that a node takes them only when that stands; it is a shell that waits on
 * a pipe and has no children; where systemd runs, it is a unit of its own, so that no login takes it along.
 */

import { type Artifact, sh } from './artifact.ts'

const FUNCTIONS = sh`
placeholder_unit=eucanetd-placeholder.service
placeholder_pid_file=$eucalyptus/var/run/eucalyptus/eucanetd.pid
placeholder_places() { if [ -n "$rehearsing" ]; then placeholder_script=$work/eucanetd-placeholder; else placeholder_script=$state/eucanetd-placeholder; fi; }
placeholder_systemd() { [ -z "$rehearsing" ] && [ -d /run/systemd/system ]; }
placeholder_pid() { find_process "$placeholder_pid_file" '*eucanetd-placeholder*'; }
placeholder_start() {
  if placeholder_systemd; then
    systemctl reset-failed "$placeholder_unit" 2> /dev/null
    systemd-run --quiet --unit="$placeholder_unit" sh "$placeholder_script" || return 1
    pid=$(systemctl show -p MainPID "$placeholder_unit" | sed 's/^MainPID=//')
  else
    setsid sh "$placeholder_script" < /dev/null > /dev/null 2>&1 3>&- 9>&- &
    pid=$!
  fi
  ( umask 022; echo "$pid" > "$placeholder_pid_file.new" && mv -f "$placeholder_pid_file.new" "$placeholder_pid_file" )
}
placeholder_stop() {
  placeholder_pid || return 0
  rm -f "$placeholder_pid_file"
  if placeholder_systemd; then systemctl stop "$placeholder_unit" 2> /dev/null; fi
  kill "$pid" 2> /dev/null || :
}`

export const placeholder: Artifact = {
  name: 'placeholder',
  file: 'eucanetd-placeholder',
  needs: ['setsid', 'mkfifo'],
  functions: FUNCTIONS,
  check: '',
  world: '',
  leave: 'placeholder_places && placeholder_stop && rm -f "$placeholder_script" "$placeholder_script.wait"',
  tidy: sh`
for half in "$state/eucanetd-placeholder.new" "$placeholder_pid_file.new"; do [ ! -e "$half" ] || rm -f "$half"; done`,
  steps: {
    loosen: sh`
placeholder_places
if [ ! -f "$want/eucanetd-placeholder" ]; then placeholder_stop && rm -f "$placeholder_script" "$placeholder_script.wait"; return; fi
same=
if [ -e "$placeholder_script" ] && cmp -s "$want/eucanetd-placeholder" "$placeholder_script"; then same=yes; fi
[ -z "$same" ] || ! placeholder_pid || return 0
placeholder_stop || return 1
# A node that was started anew has the file already, and perhaps no room for another.
[ -n "$same" ] || { cp "$want/eucanetd-placeholder" "$placeholder_script.new" && mv -f "$placeholder_script.new" "$placeholder_script"; } || return 1
placeholder_start`,
  },
  show: sh`
placeholder_places
[ ! -e "$placeholder_script" ] || cat "$placeholder_script"
if placeholder_pid; then echo '#= it runs, and eucanetd.pid names it'; fi`,
}
