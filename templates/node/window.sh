# ---- the window ----
# Between commit and confirm a process of its own watches, outside of the login that began it. All it needs is on this
# node's disk; it counts in the node's uptime. Whatever of commit, confirm and going back dies at whatever point, it makes
# the last confirmed bundle again when the window is over, unless by then the new one is that.

longest_commit=120
# For the last node of a batch to become ready. Nobody else can be served meanwhile.
longest_wait=300

# Another run that may still be confirmed.
leave_others_alone() {
  [ "$pending_state" = awaiting ] && [ "$pending_boot" = "$boot_id" ] || return 0
  read_clock
  left=$((pending_until - now))
  [ "$left" -gt 0 ] || return 0
  complain "run $pending_run waits $left s more for its confirmation here: edgepush confirm $pending_run, or edgepush abort $pending_run"
  exit 23
}

# Each run has to know of the one before it.
fence() { # epoch
  [ -e "$state/epoch" ] || return 0
  read -r highest holder < "$state/epoch"
  [ "$1" -gt "$highest" ] && return
  [ "$1" -eq "$highest" ] && [ "$run" = "$holder" ] && return
  complain "run $holder was here since this run asked the node: ask again, with what the cloud says now"
  exit 23
}

forget_other_boots() {
  [ -e "$state/pending" ] && [ "$pending_boot" != "$boot_id" ] || return 0
  mine=$run
  run=$pending_run
  journal 'cut off: the node was started anew'
  run=$mine
  close_window
}

arm() { # window version
  window=$1
  version=$2
  watching=$work/watching
  write_pending committing $((longest_wait + longest_commit + window)) || return 1
  if ! watch_as_unit; then setsid sh "$script" expire "$run" "$watching" < /dev/null > /dev/null 2>&1 3>&- 4<&- 9>&- & fi
  waited=0
  until [ -e "$watching" ]; do
    [ "$waited" -lt 500 ] || return 1
    waited=$((waited + 1))
    sleep 0.01
  done
}

# Where systemd ends the processes of a login with it, it does not end another unit.
watch_as_unit() {
  [ -d /run/systemd/system ] &&
    systemd-run --quiet --unit="edgepush-window-$run" sh "$script" expire "$run" "$watching" > "$work/log" 2>&1
}

write_pending() { # state seconds
  read_clock
  adopts=
  [ "$verb" != adopt ] || adopts=yes
  put "$state/pending" "run $run
bundle $digest
boot $boot_id
state $1
until $((now + $2))
window $window
before $before
version $version
adopting $adopts"
  written=$?
  recall
  return $written
}

open_window() { # seconds
  write_pending awaiting "$1" && journal "committed, to be confirmed within $1 s"
}

close_window() {
  before=$pending_before
  rm -f "$state/pending" && sync "$state"
  [ -z "$before" ] || rm -rf "$before"
  recall
}

is_confirmed() { [ "$pending_state" = awaiting ] && [ "$(readlink "$state/current")" = "gen/$pending_bundle" ]; }
is_over() { read_clock && [ "$now" -ge "$pending_until" ]; }

# What became of a run that nothing waits for any more: what is current is the truth, the journal tells why.
answer_for_the_past() {
  word=$(last_word)
  case $word in
    '') refuse "nothing is known here of run $run" ;;
    'cut off'*) complain "$word"; reply state unknown; exit 22 ;;
    confirmed*) reply state confirmed; exit 0 ;;
    *) complain "it $word"; reply state rolled-back; exit 21 ;;
  esac
}

# From here on the window of this run is open.
must_wait() {
  forget_other_boots
  [ "$pending_run" = "$run" ] || answer_for_the_past
  is_confirmed && return
  [ "$pending_state" = awaiting ] || take_back 'the commit was cut off'
  ! is_over || take_back 'not confirmed in time'
}

# Whoever asks for something else is told why.
take_back() { # why
  complain "$1"
  go_back "$1"
}

# How many lines came and went, by artifact, and of how many things, which a line names second.
tell_changes() { # what was there before
  awk -v artifacts="$artifacts" -v before="$1/expected/" -v after="$here/expected/" '
    BEGIN {
      n = split(artifacts, name, " ")
      for (i = 1; i <= n; i++) {
        split("", count); split("", seen); added = removed = things = 0
        while ((getline line < (before name[i])) > 0) count[line]--
        while ((getline line < (after name[i])) > 0) count[line]++
        for (line in count) {
          if (count[line] == 0 || line ~ /^[*:#]|^COMMIT$/) continue
          if (count[line] > 0) added += count[line]; else removed -= count[line]
          split(line, word, " "); if (!seen[word[2]]++) things++
        }
        if (added + removed) print "changed", name[i], added, removed, things
      }
    }' >&3
}

confirm() {
  must_wait
  find_differing
  [ -z "$wrong" ] || take_back "it was changed before it was confirmed: $wrong"
  version=$pending_version
  before=$pending_before
  tell_changes "$before"
  # What was here before the first bundle of all: generation 0.
  [ -e "$state/generation-0" ] || [ -L "$state/current" ] || cp -R "$before" "$state/generation-0"
  ln -sfn "gen/$digest" "$state/current.new" && mv -fT "$state/current.new" "$state/current" ||
    take_back 'that it is confirmed cannot be written down: is the disk full?'
  # Whatever fails from here on: the link decides.
  sync "$state" || note "that it is confirmed may not survive a power cut: $state cannot be synced"
  journal confirmed
  close_window
  turn_the_page
  ls -1t "$state/gen" | awk -v current="$digest" '$0 != current && ++n > 4' | while read -r old; do rm -rf "$state/gen/$old"; done
  serves "$version"
  reply state confirmed
}

abort() { # why
  case $([ "$pending_run" = "$run" ] || last_word) in confirmed*) refuse 'it is confirmed already' ;; esac
  must_wait
  go_back "$1"
}

extend() { # seconds
  must_wait
  read_clock
  extended=$(sed "s/^until .*/until $((now + $1))/" "$state/pending") && put "$state/pending" "$extended" ||
    refuse 'that cannot be written down: is the disk full?'
  journal "extended by $1 s from now"
  reply state extended
}

# A commit that waits for the word may wait long; once it has begun it may not.
hangs() { # file that says that the watch has begun
  read_clock
  [ -n "$begun" ] || [ ! -e "$1.begun" ] || begun=$now
  [ -n "$begun" ] && [ "$pending_state" = committing ] && [ "$now" -ge $((begun + longest_commit + pending_window)) ]
}

expire() { # file that says that the watch has begun
  : > "$1"
  begun=
  while recall && [ "$pending_run" = "$run" ] && ! is_over && ! hangs "$1"; do sleep 1; done
  # A commit that has the lock by now hangs.
  (lock 10) || end_holders
  lock
  [ "$pending_run" = "$run" ] || exit 0
  is_over || hangs "$1" || exec sh "$script" expire "$run" "$work/watching" 9<&-
  if is_confirmed; then close_window; exit 0; fi
  for _ in $(seq 10); do
    (go_back 'not confirmed in time')
    [ $? = 22 ] || exit 0
    sleep 3
  done
}

end_holders() {
  for holder in /proc/[0-9]*/fd/9; do
    [ "$(readlink "$holder")" = "$state/lock" ] || continue
    holder=${holder#/proc/}
    [ "${holder%%/*}" = $$ ] || kill -9 "${holder%%/*}"
  done
}

# A check of the playbook. It holds no lock: the watch must be able to act.
verify() { # check seconds
  (lock && must_wait) || exit
  timeout -k 2 "$2" sh "$script" try "$1" "$2" >&3
  status=$?
  [ $status -le 124 ] || complain "no answer within $2 s"
  [ $status = 0 ] || exit 20
  reply state verified
}

try() { # check seconds
  asked=
  seconds=$2
  trap 'complain "no answer${asked:+ from $asked} within $seconds s"; exit 1' TERM
  "try_$1"
}
