import { sh } from '../artifacts/artifact.ts'
import type { NodeCheck } from './mode.ts'

/**
 * Does the service answer to which this host sends requests for metadata on, by its rule in a chain? Any answer is one: it
 * is about the way to the service, not about what it says.
 */
export function metadataCheck(chain: string): NodeCheck {
  return { name: 'metadata', shell: metadata(chain) }
}

const metadata = (chain: string) => sh`
asked=$(sed -n 's/^-A ${chain} .*-d 169\.254\.169\.254\/32 .*--to-destination //p' "$want/iptables.restore")
[ -n "$asked" ] || return 0
host=$(echo "$asked" | cut -d : -f 1)
port=$(echo "$asked" | cut -d : -f 2)
for tool in curl wget bash perl python3 busybox; do
  ! command -v "$tool" > /dev/null || break
  tool=none
done
case $tool in
  curl) curl -s -o /dev/null --noproxy '*' "http://$asked/" ;;
  # 8: there is no such page.
  wget) wget -q -O /dev/null --no-proxy -t 1 "http://$asked/" || [ $? = 8 ] ;;
  bash) bash -c 'exec 4<> "/dev/tcp/$0/$1" && printf "GET / HTTP/1.0\r\n\r\n" >&4 && read -r _ <&4' "$host" "$port" ;;
  perl) perl -MIO::Socket::INET -e '
    $metadata = IO::Socket::INET->new("@ARGV") or exit 1;
    print $metadata "GET / HTTP/1.0\r\n\r\n";
    exit !defined readline $metadata' "$asked" ;;
  python3) python3 -c 'import socket, sys
metadata = socket.create_connection(sys.argv[1:])
metadata.sendall(b"GET / HTTP/1.0\r\n\r\n")
sys.exit(not metadata.recv(1))' "$host" "$port" ;;
  busybox) printf 'GET / HTTP/1.0\r\n\r\n' | busybox nc "$host" "$port" | grep -q . ;;
  *) complain 'there is none of curl, wget, bash, perl, python3 and busybox to ask with'; return 1 ;;
esac 2> /dev/null || { complain "nothing answers at $asked, where instances are sent for their metadata"; return 1; }`
