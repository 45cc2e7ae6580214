// Tools of a node that do not do what they should, outside of rehearsals only: a wrapper, bound over the tool in the
// node's mount namespace. Nobody else's tool is another one, and none of this machine's files is written.

import type { Station } from '../../lab/probes-from.ts'

type Trouble =
  /** Says so and does nothing. */
  | 'fails'
  /** Says that it did, and did nothing. */
  | 'lies'
  /** Kills the apply script that called it. */
  | 'kills'
  /** Waits until `release`. */
  | 'waits'
  /** Does it, and the daemon that it started hangs. */
  | 'freezes'
  /** Runs this shell first. */
  | { readonly does: string }

/** Commit, confirm, boot. */
const committing = 'apply[.]sh [cb]o[mno]'

const wrappers: Readonly<Record<Exclude<Trouble, object>, string>> = {
  fails: 'echo "out of order" >&2; exit 1',
  lies: 'cat > /dev/null; exit 0',
  kills: `
    for process in /proc/[0-9]*; do
      tr '\\0' ' ' < $process/cmdline | grep -q '${committing}' && kill -9 \${process#/proc/}
    done
    exit 1`,
  waits: 'echo waiting > /tmp/wrapped/waiting; cat /tmp/wrapped/gate > /dev/null',
  freezes: `
    "$(readlink -f "/tmp/wrapped/real/$name.as")" "$@" || exit
    kill -STOP $(cat /run/eucalyptus/net/euca-dhcp.pid)
    exit 0`,
}

/** Which calls of a commit or confirmation are in trouble: after `fine` calls that are not, only the next or all. */
interface Calls {
  /** Other calls of the script: a regular expression that matches its command line and not that of a search for it. */
  readonly during?: string
  readonly fine?: number
  readonly times?: 'once' | 'always'
}

/** From now on the tool is in trouble; by default once, at its next call. */
export async function breakTool(node: Station, tool: string, trouble: Trouble, calls: Calls = {}): Promise<void> {
  const network = (await node.run('readlink /proc/self/ns/net')).trim()
  await node.run(
    `set -e
    mkdir -p /tmp/wrapped/real
    [ -e /tmp/wrapped/gate ] || mkfifo /tmp/wrapped/gate
    binary=$(readlink -f "$(command -v ${tool})")
    cp "$binary" /tmp/wrapped/real/
    for link in "$(dirname "$binary")"/*; do
      [ "$(readlink -f "$link")" != "$binary" ] || ln -sfn "$(basename "$binary")" "/tmp/wrapped/real/$(basename "$link").as"
    done
    cat > /tmp/wrapped/${tool}.sh
    chmod +x /tmp/wrapped/${tool}.sh
    mount --bind /tmp/wrapped/${tool}.sh "$binary"
    echo "$binary" >> /tmp/wrapped/mounts`,
    { stdin: wrapper(tool, trouble, network, calls) },
  )
}

/** Every tool is itself again. A wrapper that still runs keeps its mount busy, and needs the tool behind it. */
export async function mendTools(node: Station): Promise<void> {
  await node.run(`
    for mount in $(cat /tmp/wrapped/mounts); do
      for _ in $(seq 1000); do umount "$mount" 2> /dev/null && continue 2; sleep 0.01; done
      echo "$mount stays wrapped" >&2
      exit 1
    done
    rm -rf /tmp/wrapped`)
}

/** Settles when a tool waits. */
export async function waiting(node: Station): Promise<void> {
  await node.run('for _ in $(seq 6000); do [ ! -e /tmp/wrapped/waiting ] || exit 0; sleep 0.01; done; exit 1')
}

export async function release(node: Station): Promise<void> {
  await node.run('echo > /tmp/wrapped/gate')
}

// argv[0] decides what a binary with many names does, and only bash can say it.
function wrapper(
  tool: string,
  trouble: Trouble,
  network: string,
  { fine = 0, times = 'once', during = committing }: Calls,
): string {
  return `#!/bin/bash
name=$(basename "$0")
if [ "$name" = ${tool} ] && [ "$(readlink /proc/self/ns/net)" = "${network}" ] && ps -eo args | grep -q '${during}'; then
  echo >> /tmp/wrapped/calls
  if [ "$(wc -l < /tmp/wrapped/calls)" ${times === 'once' ? '-eq' : '-ge'} ${fine + 1} ]; then
    ${typeof trouble === 'object' ? trouble.does : wrappers[trouble]}
  fi
fi
exec -a "$name" "$(readlink -f "/tmp/wrapped/real/$name.as")" "$@"
`
}
