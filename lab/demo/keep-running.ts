// For a lab that stays: two commands in its directory, and what to type in another terminal.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hostEnv } from '../machinery.ts'
import type { Lab } from '../make-lab.ts'
import { packageRoot } from '../start-agent.ts'
import { viewFile } from '../write-files.ts'
import type { Screen } from './screen.ts'

export async function keepRunning(lab: Lab, { print, paint }: Screen): Promise<void> {
  const { directory } = lab.files
  const [enter, edgepush] = [join(directory, 'enter'), join(directory, 'edgepush')]
  await writeFile(enter, enterScript(lab), { mode: 0o755 })
  await writeFile(edgepush, edgepushScript(lab, enter), { mode: 0o755 })
  const machine = Object.keys(lab.world().instances).find((id) => lab.instance(id).publicAddress) ?? ''
  const suggestions = [
    [`cd ${directory}`, 'push.yml, inventory.yml, known_hosts, keys'],
    ['./edgepush status push.yml --live', 'what the nodes hold now'],
    ['./enter nc-01 iptables -F EUCA_FILTER_FWD', 'break one, and ask again'],
    ['./edgepush push push.yml', 'mend it'],
    [`./enter clc-01 vi ${viewFile}`, 'change the view, and push'],
    [`./enter outside busybox wget -qO- ${lab.instance(machine).publicAddress}`, 'who answers there'],
    [`./enter ${machine}`, 'a shell in a machine'],
  ] as const
  const width = Math.max(...suggestions.map(([command]) => command.length))
  print('\nThe lab stays until Ctrl-C. In another terminal, as root:')
  for (const [command, effect] of suggestions) print(`  ${command.padEnd(width)}  ${paint.faint(effect)}`)
}

function enterScript({ nodes, machines, clc, router, outside, admin }: Lab): string {
  const hosts = [...nodes, clc, router, outside, admin, ...machines.values()]
  return [
    '#!/bin/sh',
    '# enter HOST [COMMAND...]: the command, or a shell, in a host of the lab',
    'case "$1" in',
    ...hosts.map(({ name, pid }) => `${name}) pid=${pid} ;;`),
    `*) echo "usage: $0 HOST [COMMAND...], HOST one of ${hosts.map(({ name }) => name).join(' ')}" >&2; exit 64 ;;`,
    'esac',
    'name=$1',
    'shift',
    '[ $# -gt 0 ] || set -- bash --norc',
    `exec nsenter --target "$pid" --net --uts --pid --mount -- env -i PATH=${hostEnv.PATH} HOME=/root \\`,
    '  LANG=C.UTF-8 TERM="$TERM" PS1="$name# " "$@"',
    '',
  ].join('\n')
}

function edgepushScript({ files, admin }: Lab, enter: string): string {
  const home = join(files.directory, 'admin')
  const cli = join(packageRoot(), 'dist', 'cli.js')
  return [
    '#!/bin/sh',
    "# edgepush, on the lab's admin host and in the lab's directory",
    `exec "${enter}" ${admin.name} sh -c 'cd "$0" && exec "$@"' "${files.directory}" \\`,
    `  env HOME="${home}" "${process.execPath}" "${cli}" "$@"`,
    '',
  ].join('\n')
}
