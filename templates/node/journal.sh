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
