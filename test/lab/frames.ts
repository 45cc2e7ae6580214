// Ethernet frames to the letter, sent and overheard: for what no honest host sends, and what no honest host listens to.

import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Station } from '../../lab/probes-from.ts'

/** A MAC and an address. */
export interface Name {
  readonly mac: string
  readonly address: string
}

export const everybody = 'ff:ff:ff:ff:ff:ff'

/** From, to and EtherType, then what follows. Shorter than a frame may be, it is filled up. */
export function frame(from: string, to: string, type: number, body: Buffer): Buffer {
  const frame = Buffer.concat([macBytes(to), macBytes(from), word(type), body])
  return Buffer.concat([frame, Buffer.alloc(Math.max(0, 60 - frame.length))])
}

/** The body of ARP over Ethernet, and `says` where a frame is filled up anyway. */
export function arp(operation: 'request' | 'reply', sender: Name, target: Name, says: string): Buffer {
  const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, operation === 'request' ? 1 : 2])
  const names = [sender, target].flatMap(({ mac, address }) => [macBytes(mac), addressBytes(address)])
  return Buffer.concat([head, ...names, Buffer.from(says)])
}

/** The body of IPv4 with a datagram that says `says`; UDP needs no checksum. */
export function datagram(from: string, to: string, ports: readonly [from: number, to: number], says: string): Buffer {
  const udp = Buffer.concat([word(ports[0]), word(ports[1]), word(8 + says.length), word(0), Buffer.from(says)])
  const head = Buffer.concat([
    Buffer.from([0x45, 0]),
    word(20 + udp.length),
    Buffer.from([0, 1, 0, 0, 64, 17, 0, 0]),
    addressBytes(from),
    addressBytes(to),
  ])
  head.writeUInt16BE(checksum(head), 10)
  return Buffer.concat([head, udp])
}

/** The body of IPv6 between two addresses of the link, with nothing (59) after its header but what it says. */
export function ipv6(says: string): Buffer {
  const ofLink = (last: number) => Buffer.from([0xfe, 0x80, ...Array<number>(13).fill(0), last])
  return Buffer.concat([
    Buffer.from([0x60, 0, 0, 0]),
    word(says.length),
    Buffer.from([59, 64]),
    ofLink(1),
    ofLink(2),
    Buffer.from(says),
  ])
}

function checksum(head: Buffer): number {
  let sum = 0
  for (let at = 0; at < head.length; at += 2) sum += head.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex')
}

function addressBytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number))
}

function word(value: number): Buffer {
  return Buffer.from([value >>> 8, value & 0xff])
}

// A packet socket (17) for raw frames (3) of every protocol (3), on one interface.
const opened = `
  my ($device) = @ARGV;
  open(my $file, '<', "/sys/class/net/$device/ifindex") or die "$device: $!";
  my $address = pack('SniSCCa8', 17, 3, <$file>, 0, 0, 0, '');
  socket(my $socket, 17, 3, unpack('S', pack('n', 3))) or die $!;
  bind($socket, $address) or die $!;`

const sender = `${opened}
  while (<STDIN>) { chomp; send($socket, pack('H*', $_), 0) or die $!; }`

const listener = `${opened}
  $| = 1;
  print "ready\\n";
  while (defined recv($socket, my $frame, 2048, 0)) { print unpack('H*', $frame), "\\n"; }`

/** Settles when all of them have left. */
export async function sendFrames(station: Station, device: string, frames: readonly Buffer[]): Promise<void> {
  const stdin = frames.map((one) => `${one.toString('hex')}\n`).join('')
  await station.run(['perl', '-e', sender, device], { stdin })
}

export interface Listener {
  /** Whether a frame came by that says this. */
  readonly hasHeard: (says: string) => boolean
  readonly stop: () => void
}

/** Keeps the frames of a device that say something with `about`. */
export async function listen(station: Station, device: string, about: string): Promise<Listener> {
  const child = station.spawn(['perl', '-e', listener, device])
  if (!child.stdout) throw new Error('no output')
  const lines = createInterface({ input: child.stdout })
  await once(lines, 'line')
  const wanted = Buffer.from(about).toString('hex')
  const heard: string[] = []
  lines.on('line', (line) => {
    if (line.includes(wanted)) heard.push(line)
  })
  return {
    hasHeard: (says) => heard.some((line) => line.includes(Buffer.from(says).toString('hex'))),
    stop: () => station.kill(child),
  }
}
