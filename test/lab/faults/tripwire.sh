#!/bin/bash
# Stands in for every tool of a node that writes: notes the call, and springs the trap that is set there. Bash, because
# only bash can give the real tool the name that it was called by; and no tool, because any of them may be wrapped.
#
#   bash tripwire.sh wire    binds this file over the tools of the node's current script, in this mount namespace only
#
# The disk of the state becomes a small one, and the clock by which the node counts stands still.
folder=/tmp/tripwire
state=/var/lib/edgepush

# They change nothing themselves; what they print goes where the shell sends it, and a step follows that keeps it. What
# is not named here is a tool that writes.
readers='awk basename bash cat cmp comm cut date diff dirname ebtables-save env find flock grep head id iptables-save ls ps
  readlink sed seq sh sha256sum sleep sort tail test tr uname wc'

wire() {
  set -e
  mkdir -p "$folder/real" && cd "$folder"
  cp "$0" wrapper && chmod +x wrapper && : > armed
  cp -a "$state" /tmp/kept && mount -t tmpfs -o size=4m edgepush "$state" && cp -a /tmp/kept/. "$state" && rm -r /tmp/kept
  cp /proc/uptime uptime && mount --bind uptime /proc/uptime
  for tool in $(sed '/^ *#/d' "$state/current/apply.sh" | grep -oE '[a-z][a-z0-9_-]+' | sort -u); do
    case " ${readers//$'\n'/ } " in *" $tool "*) continue ;; esac
    binary=$(PATH=/usr/sbin:/sbin:/usr/bin:/bin type -P "$tool") && readlink -f "$binary"
  done | sort -u > binaries
  while read -r binary; do
    : > "real/${binary##*/}" && mount --bind "$binary" "real/${binary##*/}"
    # What one binary does depends on its name.
    for name in $(find -L "${binary%/*}" -maxdepth 1 -samefile "$binary" -printf '%f '); do
      [ -e "real/$name" ] || ln -s "${binary##*/}" "real/$name"
    done
  done < binaries
  while read -r binary; do mount --bind wrapper "$binary"; done < binaries
}

words() { mapfile -d '' -t word < "/proc/$1/cmdline"; } 2> /dev/null

# What the script that called this tool was called for; `stage` is what comes before any script.
find_verb() {
  verb=
  pid=$PPID
  while [ "$pid" -gt 1 ] && words "$pid"; do
    case "${word[*]}" in
      *'read -r size && eval "$(head -c "$size")"'*) verb=stage && return ;;
      'sh -c '*) return ;;
      'sh '*/apply.sh\ *) verb=${word[2]} && return ;;
    esac
    read -r stat < "/proc/$pid/stat"
    set -- ${stat##*) }
    pid=$2
  done
}

end() { # pattern of command lines
  for process in /proc/[0-9]*; do
    process=${process#/proc/}
    words "$process" && [[ "${word[*]}" = $1 ]] && [ "$process" != $$ ] && kill -9 "$process"
  done
}
end_script() { if [ "$verb" = stage ]; then end '/bin/sh -c read*'; else end "sh */apply.sh $verb*"; fi; }

spring() { # fault
  echo "$verb ${#calls[@]} $1" >> "$folder/sprung"
  case $1 in
    killed) end_script; exit 1 ;;
    cut) end 'sshd: root*' ;;
    gone) end 'sshd: *' ;;
    'killed and gone') end 'sshd: *'; end_script; exit 1 ;;
    fails) echo 'out of order' >&2; exit 1 ;;
    'disk full') cat /dev/zero > "$state/filler" ;;
  esac
} 2> /dev/null

if [ "${1-}" = wire ] && [ "${0##*/}" = tripwire.sh ]; then wire; exit; fi
name=${0##*/}
tool=("$@")
find_verb
case $verb in
  stage | check | commit | confirm | abort | expire)
    line="$name ${tool[*]}"
    echo "${line//$'\n'/ }" >> "$folder/calls.$verb"
    mapfile -t calls < "$folder/calls.$verb"
    while read -r armed number fault; do
      [ "$armed $number" != "$verb ${#calls[@]}" ] || spring "$fault"
    done < "$folder/armed" ;;
esac
exec -a "$name" "$folder/real/$name" "${tool[@]}"
