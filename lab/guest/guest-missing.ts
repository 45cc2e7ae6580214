// What this machine lacks for a guest, besides what it lacks for a lab.

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { hostEnv } from '../machinery.ts'

/** Where fetch-kernel.sh puts it. */
export const kernelFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'edgepush', 'guest-kernel')

/** Packages of Debian 12, and what of them is needed. */
const packages: Readonly<Record<string, readonly string[]>> = {
  kmod: ['modprobe', 'depmod'],
  'qemu-system-x86': ['qemu-system-x86_64'],
  'qemu-system-common': ['virtiofsd'],
  tcpdump: ['tcpdump'],
}

// virtiofsd is nobody's command, so it is not in PATH.
const folders = [...hostEnv.PATH.split(':'), '/usr/lib/qemu', '/usr/libexec']

/** Empty when a guest can be started where a lab can. */
export function guestMissing(): readonly string[] {
  if (process.arch !== 'x64') return [`an x86-64 processor, for which the guest's kernel is: this is ${process.arch}`]
  const kernel = existsSync(kernelFolder) ? [] : [`the guest's kernel in ${kernelFolder}: sh lab/guest/fetch-kernel.sh`]
  return [...missingPackages().map((name) => `a guest: apt-get install ${name}`), ...kernel]
}

/**
 * For an installation.
 * @public set-up.sh asks for them
 */
export function missingPackages(): readonly string[] {
  if (process.arch !== 'x64') return []
  return Object.entries(packages).flatMap(([name, needed]) =>
    needed.every((command) => pathOf(command) !== undefined) ? [] : [name],
  )
}

export function pathOf(command: string): string | undefined {
  return folders.map((folder) => join(folder, command)).find((path) => existsSync(path))
}
