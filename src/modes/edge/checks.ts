/**
 * What a playbook may have verified on a node controller: what its instances need from it answers. Nothing of the node or
 * of an instance changes, and with nobody to serve there is nothing to verify.
 */

import { sh } from '../../artifacts/artifact.ts'
import { metadataCheck } from '../metadata-check.ts'
import type { NodeCheck } from '../mode.ts'

/**
 * The daemon is asked for the lease of one of its hosts, as a relay with this node's own address would ask: by a frame to
 * the bridge itself, which the daemon's socket sees and no other host gets; the offer comes back by way of the loopback
 * interface. To a question in the name of the instance the daemon would answer to the instance: one that runs objects to
 * that, and for one that does not yet, the bridge hands it to everybody. A host's address is fixed, so no lease is taken.
 */
const DHCP = sh`
conf=$want/dhcpd.conf
[ -f "$conf" ] || return 0
words=$(tr -d ';' < "$conf")
host=$(printf '%s\n' "$words" | awk '$1 == "hardware" { mac = $3 } $1 == "fixed-address" && mac !~ /^[0:]*$/ { print mac, $2; exit }')
[ -n "$host" ] || return 0
dhcpd_running || { complain "no DHCP server runs on $VNET_BRIDGE"; return 1; }
network=$(printf '%s\n' "$words" | awk '$1 == "subnet" { print $2 "/" $4; exit }')
own=$(ip -4 -o address show dev "$VNET_BRIDGE" to "$network" | awk '$4 !~ /\/32$/ { sub("/.*", "", $4); print $4; exit }')
[ -n "$own" ] || { complain "$VNET_BRIDGE has no address of $network"; return 1; }

zeros() { printf '%0*d' "$(($1 * 2))" 0; }
mac() { echo "$1" | tr -d : | tr A-F a-f; }
address() { echo "$1" | awk -F . '{ printf "%02x%02x%02x%02x", $1, $2, $3, $4 }'; }
checksum() { # bytes
  sum=0
  for word in $(echo "$1" | sed 's/..../& /g'); do sum=$((sum + 0x$word)); done
  sum=$(((sum & 0xffff) + (sum >> 16)))
  printf '%04x' $(((sum + (sum >> 16)) & 0xffff ^ 0xffff))
}
asked="the DHCP server on $VNET_BRIDGE"
bridge=$(mac "$(cat "/sys/class/net/$VNET_BRIDGE/address")")
instance=$(mac "$(echo "$host" | cut -d ' ' -f 1)")
relay=$(address "$own")
id=$(od -An -N4 -tx1 /dev/urandom | tr -d ' ')
# DHCPDISCOVER, one hop behind, in UDP without a checksum from port 67 to port 67.
discover=01010601$id$(zeros 16)$relay$instance$(zeros 202)63825363350101ff$(zeros 56)
ip=45000148000000004011
header=$ip$(checksum "$ip$relay$relay")$relay$relay
frame=$(printf %s "$bridge" "$bridge" 0800 "$header" 0043004301340000 "$discover")
offer="020106..$id.{16}$(address "$(echo "$host" | cut -d ' ' -f 2)")"

if command -v perl > /dev/null; then
  perl -e '
    ($bridge, $loopback, $frame, $offer) = @ARGV;
    sub packets {
      my ($device, $packets) = @_;
      socket($packets, 17, 3, unpack("S", pack("n", 0x0800))) or die;
      bind($packets, pack("SnlSCCx8", 17, 0x0800, $device, 0, 0, 0)) or die;
      return $packets;
    }
    ($sender, $receiver) = (packets($bridge), packets($loopback));
    for (;;) {
      send($sender, pack("H*", $frame), 0) or die;
      $again = time + 1;
      vec($waiting = "", fileno($receiver), 1) = 1;
      while (time <= $again && select($ready = $waiting, undef, undef, 1)) {
        recv($receiver, $packet, 2048, 0);
        exit 0 if unpack("H*", $packet) =~ /$offer/;
      }
    }' "$(cat "/sys/class/net/$VNET_BRIDGE/ifindex")" "$(cat /sys/class/net/lo/ifindex)" "$frame" "$offer"
elif command -v python3 > /dev/null; then
  python3 -c 'import re, select, socket, sys, time
bridge, loopback, frame, offer = sys.argv[1:]
def packets(device):
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    packets.bind((device, 0x0800))
    return packets
sender, receiver = packets(bridge), packets(loopback)
while True:
    sender.send(bytes.fromhex(frame))
    again = time.time() + 1
    while time.time() <= again and select.select([receiver], [], [], 1)[0]:
        if re.search(offer, receiver.recv(2048).hex()):
            sys.exit(0)' "$VNET_BRIDGE" lo "$frame" "$offer"
else
  complain 'there is neither perl nor python3 to ask it with'
  return 1
fi 2> /dev/null || { complain "$asked cannot be asked: no packet socket can be had"; return 1; }`

export const CHECKS: readonly NodeCheck[] = [metadataCheck('EUCA_NAT_PRE'), { name: 'dhcp', shell: DHCP }]
