# ---- what this node remembers ----
# Files are exchanged whole. The journal only grows, and each of its lines begins with a digest of itself and the line
# before: <digest> <time> <run> <bundle> <what>.

# It syncs files and folders, not all of the disk's caches: the disks of instances may have gigabytes there.
put() { # file; its text on standard input
  cat > "$1.new" && sync "$1.new" && mv -f "$1.new" "$1" && sync "${1%/*}"
}

# History, not truth: that a line does not fit on the disk stops nothing.
journal() {
  book=$state/journal
  [ -s "$book" ] && latest=$book || latest=$book.1
  earlier=$(tail -n 1 "$latest" 2> /dev/null; echo .)
  case $earlier in
    . | *"$newline".) ;;
    # A line without its end is one that a power cut left behind.
    *) { echo ' (torn)' >> "$latest"; } 2> /dev/null ;;
  esac
  earlier=${earlier%.}
  line="$(date -u +%Y-%m-%dT%H:%M:%SZ) $run ${digest%"${digest#????????????}"} $*"
  link=$(printf '%s %s\n' "${earlier%% *}" "$line" | sha256sum)
  { printf '%s %s\n' "${link%% *}" "$line" >> "$book" && sync "$book"; } 2> /dev/null
}

# Ten thousand pushes or so.
turn_the_page() { [ "$(wc -l < "$state/journal")" -lt 30000 ] || mv -f "$state/journal" "$state/journal.1"; }

# The last word of the journal on this run.
last_word() {
  cat "$state/journal.1" "$state/journal" 2> /dev/null |
    awk -v run="$run" '$3 == run { $1 = $2 = $3 = $4 = ""; last = $0 } END { sub(/^ +/, "", last); print last }'
}

boot_id() { read -r id < /proc/sys/kernel/random/boot_id && echo "$id"; }
# Seconds since the node was started: nobody sets this clock.
uptime() { read -r seconds _ < /proc/uptime && echo "${seconds%%.*}"; }

# A commit that nobody has confirmed yet: its run, bundle, boot, state (committing or awaiting), until, window, before,
# version, adopting.
pending() { # field
  [ -e "$state/pending" ] || return 0
  while read -r field value; do [ "$field" != "$1" ] || echo "$value"; done < "$state/pending"
}
