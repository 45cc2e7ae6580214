// The wire, with the tags that frames have there. What a socket shows has lost them, so tcpdump it is.

import { createInterface } from 'node:readline'
import type { Station } from '../../lab/probes-from.ts'

export interface Wire {
  /** A line of tcpdump for each frame so far: `d0:... > d0:..., ethertype 802.1Q (0x8100), ... vlan 512, ...`. */
  readonly seen: () => readonly string[]
  readonly stop: () => void
}

/** Frames of a device that a filter of pcap lets through, from now on. */
export async function watchWire(station: Station, device: string, filter: string): Promise<Wire> {
  const child = station.spawn(['tcpdump', '-i', device, '-e', '-n', '-l', '--immediate-mode', filter])
  if (!child.stdout || !child.stderr) throw new Error('no output')
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const said = createInterface({ input: child.stderr })
  for await (const line of said) if (line.startsWith('listening on ')) break
  child.stderr.resume()
  return { seen: () => lines, stop: () => station.kill(child) }
}

/** The tags of frames, each once. */
export function tagsOf(frames: readonly string[]): readonly string[] {
  return [...new Set(frames.map((frame) => /\bvlan (\d+)/.exec(frame)?.[1] ?? 'none'))].toSorted()
}
