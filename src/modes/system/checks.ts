/**
 * What the guide has an administrator look at when instances get no address: whether the bridge leads anywhere, whether
 * anybody offers an address there, and which addresses were seen.
 */

import { sh } from '../../artifacts/artifact.ts'
import { BRIDGE_SYMPTOMS } from '../bridge-symptoms.ts'
import type { NodeCheck } from '../mode.ts'

/**
 * Asks in the name of the bridge itself, to all, with the wish to be answered to all, so that the answer is seen whoever
 * it is for; prints who offers what. A pool may keep the address for it for some seconds; nothing is taken. It asks again
 * each second, for ever.
 */
const OFFER = sh`
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
}`

const DHCP = sh`${OFFER}
asked="a DHCP server on the network of $VNET_BRIDGE"
await_offer '' > /dev/null && return
[ $? != 2 ] || { complain 'there is neither perl nor python3 to ask with'; return 1; }
complain "$asked cannot be asked: no packet socket can be had"
return 1`

export const CHECKS: readonly NodeCheck[] = [{ name: 'dhcp', shell: DHCP }]

/** Seconds, and questions; a server that has to look whether an address is taken needs one of them. */
const PATIENCE = 4

export const SYMPTOMS = sh`${BRIDGE_SYMPTOMS}
${OFFER}
offer=$(await_offer ${String(PATIENCE)}) || offer="nobody offers an address on $VNET_BRIDGE"
found dhcp "$offer"`
