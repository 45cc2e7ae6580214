# What this node is and what it holds. Writes nothing.
state=/var/lib/edgepush
echo "clock $(date +%s.%N)"

[ "$(id -u)" = 0 ] || { echo "error this login is not root (uid $(id -u)): log in as root, or say become: sudo in the inventory"; exit 20; }
echo "boot $(cat /proc/sys/kernel/random/boot_id)"
unreadable() { echo "error its $1 cannot be read"; exit 20; }
links=$(ip -o link show) || unreadable interfaces
addresses=$(ip -4 -o address show) || unreadable addresses
printf '%s\n' "$links" | sed -n 's/^[0-9]*: \([^:@]*\)[:@].* link\/ether \([0-9a-f:]*\).*/link \1 \2/p'
printf '%s\n' "$addresses" | awk '{ sub(/@.*/, "", $2); print "address", $2, $4 }'
[ ! -r /etc/eucalyptus/eucalyptus-version ] || echo "eucalyptus $(head -n 1 /etc/eucalyptus/eucalyptus-version)"
[ ! -r /etc/eucalyptus/eucalyptus.conf ] || awk '/^[ \t]*[A-Z0-9_]+[ \t]*=/ { print "conf", NR, $0 }' /etc/eucalyptus/eucalyptus.conf
[ ! -r /etc/eucalyptus/iptables-preload ] || sed 's/^/preload /' /etc/eucalyptus/iptables-preload
[ ! -e "$state/epoch" ] || echo "epoch $(cut -d ' ' -f 1 "$state/epoch")"
if [ -e "$state/pending" ] && grep -q "^boot $(cat /proc/sys/kernel/random/boot_id)$" "$state/pending"; then
  awk '{ value[$1] = $2 } END { print "pending", value["run"], value["state"], value["until"] - int(uptime) }' uptime="$(cat /proc/uptime)" "$state/pending"
fi
current=$(readlink "$state/current" 2> /dev/null)
# The beginnings of digests: of every bundle here, which is its manifest's, and of its files as the manifest has them; and
# how many entries the current one has, and of which mode it is.
set -- "$state"/gen/*/manifest.json
[ ! -e "$1" ] || awk -F '"' -v current="${current##*/}" '
  function tell(digest) { digest = substr(digest, 1, 16); if (!told[digest]++) printf " %s", digest }
  BEGIN { printf "stored" }
  FNR == 1 { n = split(FILENAME, part, "/"); tell(part[n - 1]) }
  /^    "/ { tell($4) }
  /^  "entries": / && part[n - 1] == current { entries = $3; gsub(/[^0-9]/, "", entries) }
  /^  "mode": / && part[n - 1] == current { mode = $4 }
  END { print ""; if (entries != "") print "entries", entries; if (mode != "") print "mode", mode }' "$@"
[ -e "$state/current/apply.sh" ] || exit 0
echo "current ${current##*/}"
sh "$state/current/apply.sh" held
