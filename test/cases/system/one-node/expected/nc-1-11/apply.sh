#!/bin/sh
# Brings this node to what the files beside this script say, and tells what it did. What stays running is the watch over a
# window, until the window is over.
#
#   sh apply.sh check [adopting]    can this node carry the bundle? rehearses it in an empty network namespace; changes nothing
#   sh apply.sh commit RUN EPOCH WINDOW [VERSION]
#                                   says that it is ready; when it then reads the line "go", makes it so, reads it back,
#                                   and on any failure goes back; not confirmed within WINDOW seconds, the node goes back
#                                   by itself. VERSION is what the cloud calls the view
#   sh apply.sh adopt RUN EPOCH WINDOW [VERSION]
#                                   stops and disables eucanetd, then as commit
#   sh apply.sh verify RUN CHECK SECONDS
#                                   does what a commit promised work? changes nothing
#   sh apply.sh confirm RUN         makes it the current bundle
#   sh apply.sh abort RUN REASON    goes back
#   sh apply.sh extend RUN SECONDS  the window ends this long from now
#   sh apply.sh expire RUN          watches over the window of a run, and goes back at its end
#   sh apply.sh boot                makes the current bundle anew, when the node was started
#   sh apply.sh serves VERSION      what the cloud calls the view that the current bundle is from
#   sh apply.sh held                does the kernel hold it?
#   sh apply.sh show                what of ours the kernel holds, in the form of the bundle's files
#   sh apply.sh difference          that against what the bundle asks for, as a diff
#   sh apply.sh release             gives the node back to eucanetd, with everything as it is
#   sh apply.sh forget              removes what edgepush remembers here; what the kernel holds stays
#
# Exit status: 0 done, 20 refused and untouched, 21 gone back, 22 neither old nor new is proven, 23 another run has the
# node, and it is untouched. Replies are lines of one word and its text on standard output; everything that tools print
# goes to a log.
set -u
trap '' HUP PIPE
umask 077
LC_ALL=C PATH=/usr/sbin:/sbin:/usr/bin:/bin
export LC_ALL PATH
exec 3>&1

state=/var/lib/edgepush
folder=${0%/*}
[ "$folder" != "$0" ] || folder=.
here=$(cd "$folder" && pwd -P)
script=$here/apply.sh
digest=${here##*/}
verb=${1-}
run=-
want=$here
blocked=$here/blocked
scope="$here $state/current"
work=
rehearsing=
announces=
foreseen=

# The node's options, as the mode resolved them.
VNET_BRIDGE='br0'
# What its paths begin with.
eucalyptus=${EUCALYPTUS-}
eucalyptus=${eucalyptus%/}

# Made in this order, swept in the reverse.
artifacts='bridge persistence'
files='bridge edgepush-restore.service'
swept='persistence bridge'
needs='unshare mount flock setsid timeout seq sha256sum sync find awk sed sort comm cmp diff ip'

newline='
'
reply() {
  case $* in *"$newline"*) set -- "$(printf '%s' "$*" | tr '\n' ' ')" ;; esac
  printf '%s\n' "$*" >&3
}
note() { reply note "$*"; }
complain() { reply error "$*"; }
refuse() { complain "$*"; exit 20; }

# Puts into $pid which process a file names, if that is one whose command line, which has no blanks between its words, is
# like the pattern of the shell.
find_process() { # file pattern
  pid='' command_line=''
  [ ! -e "$1" ] || read -r pid < "$1"
  [ -n "$pid" ] && [ -e "/proc/$pid/cmdline" ] || return 1
  # No line there has an end.
  read -r command_line 2> /dev/null < "/proc/$pid/cmdline"
  case $command_line in $2) ;; *) return 1 ;; esac
}

# Are they the same but for an order that has no meaning? Nearly always the first look, or the second, is enough; the third
# asks for the same lines in any order.
alike() { # artifact text text
  [ "$2" != "$3" ] || return 0
  [ "${#2}" = "${#3}" ] && same_lines "$2" "$3" &&
    [ "$(printf '%s\n' "$2" | "$1_alike")" = "$(printf '%s\n' "$3" | "$1_alike")" ]
}

# Of two texts that are equally long. By a pipe: some shells write here-documents to a disk that may be full.
same_lines() { # text text
  printf '%s\n' "$1" '#/' "$2" | awk '
    $0 == "#/" && !second { second = 1; next }
    !second { left[$0]++; next }
    left[$0]-- <= 0 { other = 1; exit }
    END { exit other }'
}

# ---- bridge: bridge ----
bridge_file='bridge'
# Ports by which others are reached: the names that virtual machines' have are those of libvirt, Xen and Eucalyptus.
bridge_uplinks() { ip -o link show up master "$VNET_BRIDGE" | awk '{ sub(/[@:].*/, "", $2); print $2 }' | grep -Ev '^(vn_|vnet|tap|vif)'; }
# What is wrong with it; nothing where it is as it should be.
bridge_trouble() {
  if ! ip link show dev "$VNET_BRIDGE" > /dev/null 2>&1; then echo "there is no $VNET_BRIDGE (VNET_BRIDGE)"
  elif [ -z "$(ip -o link show type bridge dev "$VNET_BRIDGE" 2> /dev/null)" ]; then echo "$VNET_BRIDGE is no bridge (VNET_BRIDGE)"
  elif [ -z "$(ip -o link show up dev "$VNET_BRIDGE")" ]; then echo "$VNET_BRIDGE is down"
  elif [ -z "$(bridge_uplinks)" ]; then echo "$VNET_BRIDGE has no port that is up and leads out of this node: its instances reach nobody"
  fi
}
bridge_check() {
trouble=$(bridge_trouble)
[ -z "$trouble" ] || { complain "$trouble"; return 1; }
}
bridge_world() {
ip link show dev "$VNET_BRIDGE" > /dev/null 2>&1 || ip link add "$VNET_BRIDGE" type bridge || return 1
ip link add edgepush-out type veth peer name edgepush-in && ip link set edgepush-out master "$VNET_BRIDGE" &&
  ip link set edgepush-in up && ip link set edgepush-out up && ip link set "$VNET_BRIDGE" up
}
bridge_prepare() {
:
}
bridge_tighten() {
:
}
bridge_switch() {
:
}
bridge_loosen() {
:
}
bridge_sweep() {
:
}
bridge_leave() {
:
}
bridge_tidy() {
:
}
bridge_show() {
trouble=$(bridge_trouble)
[ -n "$trouble" ] || trouble="$VNET_BRIDGE is a bridge, is up, and leads out of this node"
echo "#= $trouble"
}
bridge_alike() {
cat
}

# ---- persistence: edgepush-restore.service ----
persistence_file='edgepush-restore.service'
persistence_place=/etc/systemd/system
# A rehearsal has the node's own /etc.
persistence_places() {
  if [ -n "$rehearsing" ]; then persistence_folder=$work/systemd; else persistence_folder=$persistence_place; fi
  persistence_unit=$persistence_folder/$persistence_file
  persistence_wants=$persistence_folder/multi-user.target.wants
  persistence_link=$persistence_wants/$persistence_file
}
persistence_enabled() { [ -L "$persistence_link" ] && [ "$(readlink "$persistence_link")" = "$persistence_place/$persistence_file" ]; }
persistence_reload() { [ -n "$rehearsing" ] || [ ! -d /run/systemd/system ] || systemctl daemon-reload; }
persistence_remove() {
  persistence_places
  [ -e "$persistence_unit" ] || [ -L "$persistence_link" ] || return 0
  rm -f "$persistence_link" "$persistence_unit" && sync "$persistence_folder" && persistence_reload
}
# What systemctl enable does.
persistence_enable() {
  mkdir -p "$persistence_wants" && ln -sfn "$persistence_place/$persistence_file" "$persistence_link" && sync "$persistence_wants"
}
persistence_check() {
[ ! -f "$want/$persistence_file" ] || [ -d "$persistence_place" ] ||
  { complain "there is no $persistence_place: persist is for nodes with systemd"; return 1; }
}
persistence_world() {
:
}
persistence_prepare() {
:
}
persistence_tighten() {
:
}
persistence_switch() {
:
}
persistence_loosen() {
if [ ! -f "$want/$persistence_file" ]; then persistence_remove; return; fi
persistence_places
( umask 022
  mkdir -p "$persistence_folder" && cat "$want/$persistence_file" > "$persistence_unit.new" && sync "$persistence_unit.new" &&
    mv -fT "$persistence_unit.new" "$persistence_unit" && persistence_enable
) || return 1
# Going back to one that somebody had disabled.
[ ! -f "$want/expected/persistence" ] || grep -q '^#=' "$want/expected/persistence" || rm -f "$persistence_link"
sync "$persistence_folder" && persistence_reload
}
persistence_sweep() {
:
}
persistence_leave() {
persistence_remove
}
persistence_tidy() {
[ ! -e "$persistence_place/$persistence_file.new" ] || rm -f "$persistence_place/$persistence_file.new"
}
persistence_show() {
persistence_places
[ ! -e "$persistence_unit" ] || cat "$persistence_unit"
if persistence_enabled; then echo '#= it is enabled'; fi
}
persistence_alike() {
cat
}

# ---- does dhcp work? ----
try_dhcp() {
await_offer() { # how often to ask, or nothing for ever
  zeros() { printf '%0*d' "$(($1 * 2))" 0; }
  mac=$(ip -o link show dev "$VNET_BRIDGE" | sed -n 's/.* link\/ether \([0-9a-f:]*\).*/\1/p' | tr -d :)
  number=$(ip -o link show dev "$VNET_BRIDGE" | cut -d : -f 1)
  id=$(od -An -N4 -tx1 /dev/urandom | tr -d ' ')
  # DHCPDISCOVER in UDP without a checksum from port 68 to port 67, from nobody to all.
  discover=01010600"$id"00008000$(zeros 16)$mac$(zeros 202)63825363350101ff$(zeros 56)
  frame=ffffffffffff"$mac"08004500014800000000401179a600000000ffffffff0044004301340000$discover
  offer="^.{24}080045.{16}11.{4}(.{8}).{8}00430044.{8}020106..$id.{16}(.{8}).*350102"
  if command -v perl > /dev/null; then
    perl -e '
      ($device, $frame, $offer, $tries) = @ARGV;
      socket($packets, 17, 3, unpack("S", pack("n", 0x0800))) or die;
      bind($packets, pack("SnlSCCx8", 17, 0x0800, $device, 0, 0, 0)) or die;
      for ($asked = 0; !$tries || $asked < $tries; $asked++) {
        send($packets, pack("H*", $frame), 0) or die;
        $again = time + 1;
        vec($waiting = "", fileno($packets), 1) = 1;
        while (time <= $again && select($ready = $waiting, undef, undef, 1)) {
          recv($packets, $packet, 2048, 0);
          next if unpack("H*", $packet) !~ /$offer/;
          print join(" offers ", map { join ".", unpack "C4", pack "H*", $_ } $1, $2), "\n";
          exit 0;
        }
      }
      exit 3' "$number" "$frame" "$offer" "$1"
  elif command -v python3 > /dev/null; then
    python3 -c 'import re, select, socket, sys, time
device, frame, offer, tries = sys.argv[1:]
packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
packets.bind((device, 0x0800))
asked = 0
while not tries or asked < int(tries):
    asked += 1
    packets.send(bytes.fromhex(frame))
    again = time.time() + 1
    while time.time() <= again and select.select([packets], [], [], 1)[0]:
        found = re.search(offer, packets.recv(2048).hex())
        if found:
            print(" offers ".join(socket.inet_ntoa(bytes.fromhex(part)) for part in found.groups()))
            sys.exit(0)
sys.exit(3)' "$VNET_BRIDGE" "$frame" "$offer" "$1"
  else
    return 2
  fi 2> /dev/null
}
asked="a DHCP server on the network of $VNET_BRIDGE"
await_offer '' > /dev/null && return
[ $? != 2 ] || { complain 'there is neither perl nor python3 to ask with'; return 1; }
complain "$asked cannot be asked: no packet socket can be had"
return 1
}

# ---- what this node remembers ----
# Files are exchanged whole. The journal only grows, and each of its lines begins with a digest of itself and the line
# before: <digest> <time> <run> <bundle> <what>.

# It syncs files and folders, not all of the disk's caches: the disks of instances may have gigabytes there.
put() { # file text
  printf '%s\n' "$2" > "$1.new" && sync "$1.new" && mv -f "$1.new" "$1" && sync "${1%/*}"
}

# History, not truth: that a line does not fit on the disk stops nothing.
journal() {
  [ -n "$link" ] || find_link
  line="$(date -u +%Y-%m-%dT%H:%M:%SZ) $run ${digest%"${digest#????????????}"} $*"
  link=$(sha256sum << END
$link $line
END
)
  link=${link%% *}
  { printf '%s %s\n' "$link" "$line" >> "$state/journal" && sync "$state/journal"; } 2> /dev/null || link=
}

# Puts into $link the digest that the last line begins with. Only who has the lock writes there, so it is looked for once.
link=
find_link() {
  book=$state/journal
  [ -s "$book" ] && latest=$book || latest=$book.1
  earlier=$(tail -n 1 "$latest" 2> /dev/null; echo .)
  case $earlier in
    . | *"$newline".) ;;
    # A line without its end is one that a power cut left behind.
    *) { echo ' (torn)' >> "$latest"; } 2> /dev/null ;;
  esac
  earlier=${earlier%.}
  link=${earlier%% *}
}

# Ten thousand pushes or so.
turn_the_page() { [ "$(wc -l < "$state/journal")" -lt 30000 ] || mv -f "$state/journal" "$state/journal.1"; }

# The last word of the journal on this run.
last_word() {
  cat "$state/journal.1" "$state/journal" 2> /dev/null |
    awk -v run="$run" '$3 == run { $1 = $2 = $3 = $4 = ""; last = $0 } END { sub(/^ +/, "", last); print last }'
}

read -r boot_id < /proc/sys/kernel/random/boot_id
# Puts into $now the seconds since the node was started: nobody sets this clock.
read_clock() { read -r now _ < /proc/uptime && now=${now%%.*}; }

# Puts into $pending_run and so on what is written down of a commit that nobody has confirmed yet; its state is committing
# or awaiting. Only who has the lock writes it.
recall() {
  pending_run='' pending_bundle='' pending_boot='' pending_state='' pending_until='' pending_window='' pending_before=''
  pending_version='' pending_adopting=''
  [ -e "$state/pending" ] || return 0
  while read -r field said; do eval "pending_$field=\$said"; done < "$state/pending"
}

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

case $verb in
  check) lock && check "${2-}" ;;
  rehearse) rehearse "$2" ;;
  commit | adopt) run=$2 && lock && commit "$3" "$4" "${5-}" ;;
  verify) run=$2 && verify "$3" "$4" ;;
  try) try "$2" "$3" ;;
  confirm) run=$2 && lock && confirm ;;
  abort) run=$2 && lock && abort "$3" ;;
  extend) run=$2 && lock && extend "$3" ;;
  expire) run=$2 && expire "$3" ;;
  boot) lock && boot ;;
  serves) lock && serves "$2" ;;
  release) lock && release ;;
  forget) lock && forget ;;
  difference) difference ;;
  held) held ;;
  show) show ;;
  *) sed -n '2,/^set /{/^#/p}' "$script" >&2; exit 64 ;;
esac
