// A guest: a virtual machine with a kernel of its own that runs this machine's files. For what this machine's kernel may
// lack, which is VLANs. It needs no KVM, only patience.
//
// Invariant: qemu and the servers of its file systems live in a lab host's namespaces (open-host.ts), so they end with
// this process, and the ports that lead into the guest are in that network, where nobody else is.

import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { type Commands, commandsIn } from '../commands-in.ts'
import type { Machinery } from '../machinery.ts'
import { type Host, type HostOptions, openHost } from '../open-host.ts'
import { packageRoot } from '../start-agent.ts'
import { makeKeys } from '../write-files.ts'
import { kernelFolder } from './guest-missing.ts'
import { guestReady, guestScript, outerScript, qemu } from './guest-scripts.ts'
import { machineryIn } from './machinery-in.ts'

/** The guest's interface in the network of a plan; it may be moved into another namespace. */
export const guestCable = 'eth1'

export interface GuestPlan {
  /** Of the host that qemu runs in. */
  readonly name: string
  readonly options: HostOptions
  /** Shared with the guest, with the same path in both. */
  readonly directory: string
  /** What the guest's cable is plugged into. */
  readonly network: string
  /** Who in that network we are: connections from the outer host come from there. */
  readonly address: string
  /** Whose port 22 the outer host reaches there. */
  readonly reached: readonly string[]
}

export interface Guest {
  readonly machinery: Machinery
  /** Where qemu runs: the guest ends with it. A command here has this machine's files and reaches the guest's hosts. */
  readonly outer: Host
  /** In the guest itself, outside all its hosts. */
  readonly inside: Commands
}

export async function startGuest(plan: GuestPlan): Promise<Guest> {
  const files = join(plan.directory, 'guest')
  const outer = await openHost(plan.name, plan.options)
  try {
    await mkdir(files)
    await Promise.all([
      makeKeys([join(files, 'key'), join(files, 'host_key')]),
      writeFile(join(files, 'init'), guestScript(files, kernelFolder)),
      promisify(execFile)('sh', [
        join(packageRoot(), 'lab', 'guest', 'make-initramfs.sh'),
        kernelFolder,
        join(files, 'initramfs'),
      ]),
    ])
    const script = join(files, 'outer.sh')
    await writeFile(script, outerScript(plan, [process.execPath, packageRoot(), dirname(kernelFolder)]))
    await outer.setUp(script)
    await booted(outer, qemu(plan, kernelFolder))
    const control = join(files, 'ssh')
    await outer.run(connect(files, control), { timeout: 180_000 })
    const machinery = machineryIn(control)
    return { machinery, outer, inside: commandsIn('guest', 1, {}, machinery) }
  } catch (error) {
    await outer.stop()
    throw error
  }
}

/** Settles when the guest's init says so; fails with what the console said if qemu ends before. */
function booted(outer: Host, argv: readonly string[]): Promise<void> {
  const child = outer.spawn(argv)
  const said: string[] = []
  return new Promise((resolve, reject) => {
    for (const output of [child.stdout, child.stderr]) {
      if (!output) continue
      createInterface({ input: output }).on('line', (line) => {
        said.push(line)
        if (line.includes(guestReady)) resolve()
      })
    }
    child.on('close', () => reject(new Error(`the guest ended:\n${said.join('\n')}`)))
  })
}

function connect(files: string, control: string): string {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'IdentitiesOnly=yes']
  const flags = options.map((option) => `-o ${option}`).join(' ')
  return `ssh -F none ${flags} -i ${files}/key -f -N -M -S ${control} root@127.0.0.1 >/dev/null 2>${files}/ssh.log ||
    { cat ${files}/ssh.log >&2; exit 1; }`
}
