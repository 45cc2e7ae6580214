# ---- the transaction ----

# One piece of one artifact; what its tools say is told only when it fails.
perform() { # artifact piece
  "$1_$2" > "$work/log" 2>&1 && return
  [ ! -s "$work/log" ] || complain "$1 $2: $(grep -v '^$' "$work/log" | tail -n 5 | tr '\n' ' ')"
  complain "$1: $2 failed"
  return 1
}

# Brings everything that is ours to what $want says, from any state. A script that dies in the middle leaves a mix that
# lets nothing pass that both the old and the new policy deny.
converge() {
  [ -n "$foreseen" ] || foresee || return 1
  foreseen=
  for phase in tighten switch loosen; do
    for name in $artifacts; do changed "$name" || continue; perform "$name" "$phase" || return 1; done
    [ "$phase" != switch ] || [ -z "$announces" ] || reply activated "$(date +%s.%N)"
  done
  for name in $swept; do changed "$name" || continue; perform "$name" sweep || return 1; done
}

# Finds out what there is to do, and writes it down as far as it can be known beforehand. Changes nothing.
foresee() { # [what was there a moment ago]
  # In a rehearsal nothing is there yet.
  changes=$artifacts
  [ -n "$rehearsing" ] || { find_differing "${1-}"; changes=$wrong; }
  # An artifact may add to them.
  for name in $artifacts; do changed "$name" || continue; perform "$name" prepare || return 1; done
  foreseen=yes
}

changed() { case " $changes " in *" $1 "*) ;; *) return 1 ;; esac; }

# Puts into $wrong the artifacts of which the kernel, or what was saved of it, does not hold what the rehearsal of $want
# showed.
find_differing() { # [folder]
  wrong=
  # Nearly always nothing does, or little.
  if [ -n "${1-}" ]; then differences=$(diff -rq "$1/expected" "$want/expected")
  elif [ "$(show 2> /dev/null)" = "$(shown_in "$want")" ]; then return; fi
  for name in $artifacts; do
    if [ -z "${1-}" ]; then
      # What cannot be read is not what was wanted, also where that is nothing.
      there=$("${name}_show" 2> /dev/null) || there='# cannot be read'
    else
      case $differences in *"/expected/$name and "* | *"/expected: $name"*) ;; *) continue ;; esac
      there=
      [ ! -s "$1/expected/$name" ] || there=$(cat "$1/expected/$name")
    fi
    [ -f "$want/expected/$name" ] && alike "$name" "$there" "$(cat "$want/expected/$name")" || wrong="$wrong $name"
  done
  wrong=${wrong# }
}

# What the rehearsal of a bundle showed, in the form of show.
shown_in() ( # folder
  cd "$1/expected" && awk 'BEGIN {
    for (i = 1; i < ARGC; i++) {
      print "# " ARGV[i]
      while ((got = (getline line < ARGV[i])) > 0) print line
      if (got < 0) print "# missing"
    }
  }' $artifacts
)

# Makes what the folder says, and proves it.
make() { # folder
  want=$1
  blocked=$1/blocked
  converge || return 1
  find_differing
  [ -z "$wrong" ] || { complain "the kernel does not hold what was written: $wrong"; return 1; }
}

# Everything of ours as it is, in the form of a bundle: going back is converging on it. What a line that begins with #=
# says is true of the node but not part of the file.
save() { # folder
  want=/nonexistent
  blocked=/nonexistent
  [ ! -e "$1" ] || rm -rf "$1" || return 1
  mkdir -p "$1/expected" || return 1
  for name in $artifacts; do
    "${name}_show" > "$1/expected/$name" || return 1
    eval "file=\$${name}_file"
    [ ! -s "$1/expected/$name" ] || sed '/^#=/d' "$1/expected/$name" > "$1/$file" || return 1
  done
  sync "$1" "$1"/* "$1"/expected/*
}

# The lock goes with the last process that has it, a tool of a script that was killed too: nobody dead ever holds it.
# What is written in between is in memory: going back needs no disk.
lock() { # the seconds to wait
  [ -e "$state/lock" ] || { : > "$state/lock"; } 2> /dev/null || refuse "$state cannot be written"
  exec 9< "$state/lock"
  flock -w "${1:-30}" 9 || { complain 'another run works on this node'; exit 23; }
  recall
  sweep_leftovers
  for work in "/run/edgepush.$$" "$state/work.$$"; do ! mkdir "$work" 2> /dev/null || break; done
  [ -d "$work" ] || refuse '/run cannot be written'
  trap 'rm -rf "$work"' EXIT
}

# What runs that died have left behind; only what a run still goes back to is of use.
sweep_leftovers() {
  for left in /run/edgepush.* "$state"/work.* "$state"/snap/*; do
    [ ! -e "$left" ] || [ "$left" = "$pending_before" ] || rm -rf "$left"
  done
  for name in $artifacts; do "${name}_tidy"; done
}

check() { # [adopting]
  missing=
  for command in $needs; do command -v "$command" > /dev/null || missing="$missing $command"; done
  [ -z "$missing" ] || refuse "this node lacks:$missing"
  leave_others_alone
  # With ends of lines of another system, every line would be one that nobody knows, and passed over.
  strange=$(cd "$here" && grep -l '[^ -~]' $files 2> /dev/null)
  [ -z "$strange" ] || refuse "$strange holds more than printable ASCII"
  [ "${1-}" = adopting ] || ! eucanetd_runs ||
    refuse 'eucanetd runs on this node and would undo every change: take the node over with edgepush adopt'
  for name in $artifacts; do perform "$name" check || exit 20; done
  rehearsal
  reply state checked
}

rehearsal() {
  ip -4 -o address show > "$work/addresses.host"
  unshare --net --mount --pid --fork --mount-proc sh "$script" rehearse "$work" 9>&- 2> "$work/said" ||
    refuse "the rehearsal failed$(tail -n 1 "$work/said" | sed 's/^/: /')"
  # A node whose disk takes no more can still be started.
  ! diff -r "$work/expected" "$here/expected" > /dev/null 2>&1 || return 0
  rm -rf "$here/expected.new" && cp -R "$work/expected" "$here/expected.new" && sync "$here/expected.new" "$here"/expected.new/* &&
    rm -rf "$here/expected" && mv "$here/expected.new" "$here/expected" || refuse "$here cannot be written"
}

# The same steps in an empty network namespace: same kernel, same tools, no effect. What the kernel shows there is what
# it must show after a commit. The namespace's own processes end with it.
rehearse() { # scratch folder of the check
  work=$1
  rehearsing=yes
  stand_ins=lo
  scope=$here
  blocked=$work/blocked
  ip link set lo up && mkdir "$work/expected" || exit 20
  for name in $artifacts; do perform "$name" world || exit 20; done
  converge || exit 20
  for name in $artifacts; do "${name}_show" > "$work/expected/$name" || exit 20; done
}

# An interface of that name, in the namespace of a rehearsal, where several artifacts may ask for it.
stand_in() { # name
  case " $stand_ins " in *" $1 "*) return ;; esac
  stand_ins="$stand_ins $1"
  ip -batch - << END
link add $1 type bridge
link set $1 up
END
}

# Nothing is touched before the state to go back to is on the disk, the epoch is stored, and somebody watches the window.
commit() { # epoch window version
  exec 4<&0 < /dev/null
  [ -d "$here/expected" ] || refuse 'not checked on this node'
  leave_others_alone
  fence "$1"
  forget_other_boots
  # What a run that died left is a mix, and nothing to go back to.
  mixed=$pending_before
  before=$mixed
  seen=
  if [ -z "$before" ]; then
    before=$state/snap/$run
    save "$before" > "$work/log" 2>&1 || {
      rm -rf "$before"
      refuse "what is there cannot be saved: $(tail -n 3 "$work/log" | tr '\n' ' ')"
    }
    # eucanetd may be at work until it is retired.
    [ "$verb" = adopt ] || seen=$before
  fi
  put "$state/epoch" "$1 $run" && arm "$2" "$3" || {
    [ "$pending_run" != "$run" ] || go_back 'nobody watches the window'
    refuse "$state cannot be written: is the disk full?"
  }
  journal begins
  want=$here
  blocked=$here/blocked
  [ "$verb" = adopt ] || foresee "$seen" || go_back 'what there is to do cannot be told'
  await_go || {
    [ -z "$mixed" ] || take_back 'told not to begin, or nothing, after a commit that was cut off'
    journal 'was told not to begin, or nothing'
    close_window
    refuse 'told not to begin, or nothing'
  }
  announces=yes
  if { [ "$verb" != adopt ] || retire; } && make "$here"; then
    if open_window "$2"; then reply state committed; exit 0; fi
    complain 'that it is committed cannot be written down: is the disk full?'
  fi
  go_back 'the commit failed'
}

# The nodes of a batch begin together. When the connection ends first, nothing has begun; when neither comes, the watch
# ends this script.
await_go() {
  reply ready "$(date +%s.%N)"
  read -r word <&4 && [ "$word" = go ] && exec 4<&- || return 1
  echo > "$watching.begun" || true
}

# The last confirmed bundle; where that cannot be made, what was there before.
go_back() { # why
  foreseen=
  announces=
  before=$pending_before
  journal "goes back: $1"
  for folder in "$state/current" "$before"; do
    [ -d "$folder/expected" ] && make "$folder" || continue
    [ -z "$pending_adopting" ] || revive
    journal "went back to $(basename "$(readlink -f "$folder")"): $1"
    close_window
    reply state rolled-back
    exit 21
  done
  journal "unknown: neither the old nor the new state is proven; what was there before is kept in $before"
  complain "what was there before could not be made again: it is kept in $before"
  reply state unknown
  exit 22
}

# When the node was started, nothing of ours is in its kernel, and nothing is sure of what the node has by now: it is
# checked and rehearsed as if the bundle had just come. Without a proof that all of it stands, what the node controller looks
# for before it takes instances goes, and the bundle remains what it is: the next push makes it good.
boot() {
  forget_other_boots
  (check && make "$here") > "$work/said" 3>&1
  status=$?
  cat "$work/said" >&3
  case $status in
    0) journal 'made anew at boot'; serves "$(cat "$state/version" 2> /dev/null)"; return ;;
    23) exit 23 ;;
  esac
  journal "could not be made at boot: $(sed -n 's/^error //p' "$work/said" | tr '\n' ';')"
  for name in $artifacts; do [ "$name" = persistence ] || perform "$name" leave; done
  exit 22
}
