# ---- what this node remembers ----
# Files are exchanged whole. The journal only grows, and each of its lines begins with a digest of itself and the line
# before: <digest> <time> <run> <bundle> <what>.

# Not all of the disk's caches: the disks of instances may have gigabytes there.
durable() { find "$@" -exec sync {} +; }

put() { # file; its text on standard input
  cat > "$1.new" && durable "$1.new" && mv -f "$1.new" "$1" && sync "$(dirname "$1")"
}

# History, not truth: that a line does not fit on the disk stops nothing.
journal() {
  book=$state/journal
  # A line that a power cut left behind.
  [ ! -s "$book" ] || [ -z "$(tail -c 1 "$book")" ] || echo ' (torn)' >> "$book"
  earlier=$(tail -q -n 1 "$book.1" "$book" 2> /dev/null | tail -n 1 | cut -d ' ' -f 1)
  line="$(date -u +%Y-%m-%dT%H:%M:%SZ) $run $(printf '%.12s' "$digest") $*"
  link=$(printf '%s %s\n' "$earlier" "$line" | sha256sum | cut -d ' ' -f 1)
  { printf '%s %s\n' "$link" "$line" >> "$book" && sync "$book"; } 2> /dev/null
  [ "$(wc -l < "$book")" -lt 20000 ] || mv -f "$book" "$book.1"
}

# The last word of the journal on this run.
last_word() {
  cat "$state/journal.1" "$state/journal" 2> /dev/null |
    awk -v run="$run" '$3 == run { $1 = $2 = $3 = $4 = ""; last = $0 } END { sub(/^ +/, "", last); print last }'
}

boot_id() { cat /proc/sys/kernel/random/boot_id; }
# Seconds since the node was started: nobody sets this clock.
uptime() { cut -d . -f 1 /proc/uptime; }

# A commit that nobody has confirmed yet: its run, bundle, boot, state (committing or awaiting), until, window, before,
# version, adopting.
pending() { sed -n "s/^$1 //p" "$state/pending" 2> /dev/null; }
