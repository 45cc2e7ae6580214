# ---- whose node it is ----

# Tools of the cloud read there which view a node serves.
version_file=$eucalyptus/var/run/eucalyptus/global_network_info.version
# Puts what a file says in its only line into $said.
read_line() { # file
  said=
  [ ! -e "$1" ] || read -r said < "$1"
}

# Where it is written is gone when the node is started anew.
serves() { # version
  [ -n "$1" ] || return 0
  read_line "$state/version"
  # No word is better than an old one.
  [ "$said" = "$1" ] || put "$state/version" "$1" || { rm -f "$state/version" "$state/version.new"; note "$state/version cannot be written"; }
  read_line "$version_file"
  [ "$said" = "$1" ] ||
    (umask 022; printf '%s' "$1" > "$version_file.new" && mv -f "$version_file.new" "$version_file") || note "$version_file cannot be written"
}

eucanetd_runs() { grep -qsx eucanetd /proc/[0-9]*/comm; }
eucanetd_pids() { grep -lx eucanetd /proc/[0-9]*/comm 2> /dev/null | tr -dc '0-9\n'; }
eucanetd_unit() { [ -d /run/systemd/system ] && systemctl cat eucanetd.service > /dev/null 2>&1; }

retire() {
  if eucanetd_unit; then systemctl disable --now eucanetd.service > "$work/log" 2>&1; fi
  for pid in $(eucanetd_pids); do kill "$pid"; done
  for _ in $(seq 30); do
    eucanetd_runs || {
      # Its copy of the view would never change again; tools that look for it first then read the node controller's own.
      rm -f "${version_file%/*}/eucanetd_global_network_info.xml"
      journal eucanetd retired
      return 0
    }
    sleep 0.1
  done
  complain 'eucanetd does not end'
  return 1
}

revive() {
  if eucanetd_unit; then systemctl enable --now eucanetd.service > /dev/null 2>&1 && journal eucanetd revived && return; fi
  note 'eucanetd is not running and has no unit here that could be started'
}

release() {
  leave_others_alone
  for name in $swept; do perform "$name" leave || exit 22; done
  rm -f "$state/current"
  revive
  journal released
  reply state released
}

forget() {
  leave_others_alone
  rm -f "$version_file"
  rm -rf "$state"
  reply state forgotten
}

# ---- what the kernel holds ----

held() {
  read_line "$version_file"
  reply view "$said"
  find_differing
  [ -n "$wrong" ] || { reply held yes; return; }
  reply held no
  reply differs $wrong
}

show() { for name in $artifacts; do printf '# %s\n' "$name"; "${name}_show" || echo '# cannot be read'; done; }

# What the kernel holds of ours, and with + and - what the bundle asks for instead: both in order, without which a real
# difference would be lost among those that mean nothing.
difference() {
  for name in $artifacts; do
    # What cannot be read is not missing.
    there=$("${name}_show" 2> /dev/null) || refuse "$name cannot be read"
    "${name}_alike" < "$want/expected/$name" | {
      { [ -z "$there" ] || printf '%s\n' "$there"; } |
        "${name}_alike" | diff -U 1 - /dev/fd/4 | sed "1,2d;s/^/difference $name /" >&3
    } 4<&0
  done
  reply state compared
}
