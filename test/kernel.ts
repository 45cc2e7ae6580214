/** Real tools and a real kernel, in a network namespace that is gone with the command. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Texts {
  readonly ipset: string
  readonly iptables: string
  readonly ebtables: string
}

const LOAD = `
cd "$0" &&
ipset restore < ipset && iptables-restore < iptables && ebtables-restore < ebtables &&
ipset save > ipset.saved && iptables-save > iptables.saved && ebtables-save > ebtables.saved`

const BUILT_IN = /^:(INPUT|FORWARD|OUTPUT|PREROUTING|POSTROUTING|BROUTING) /

/** What this machine lacks for a read-back; empty when it can be done. */
export function kernelMissing(): readonly string[] {
  const tools = ['unshare', 'ipset', 'iptables-restore', 'ebtables-restore'].filter(
    (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0,
  )
  if (tools.length > 0) return tools
  return spawnSync('unshare', ['--net', 'true']).status === 0 ? [] : ['the right to make a network namespace (root)']
}

/** Loads the texts as a person would, and returns what the tools then print. */
export function loadIntoKernel(texts: Texts): Texts {
  const folder = mkdtempSync(join(tmpdir(), 'edgepush-kernel-'))
  try {
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text)
    execFileSync('unshare', ['--net', 'sh', '-c', LOAD, folder], { stdio: ['ignore', 'ignore', 'pipe'] })
    const saved = (name: string) => execFileSync('cat', [join(folder, `${name}.saved`)], { encoding: 'utf8' })
    return { ipset: saved('ipset'), iptables: saved('iptables'), ebtables: saved('ebtables') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '')
}

/** Sorted, without the sizes that the kernel chooses for itself. */
export function sets(text: string): readonly string[] {
  return lines(text)
    .map((line) => line.replace(/ (hashsize|maxelem|bucketsize|initval) .*$/, ''))
    .toSorted()
}

/** Table and chain to rules in order; the order of chains and tables means nothing. */
export function chains(text: string): Readonly<Record<string, readonly string[]>> {
  const found: Record<string, string[]> = {}
  let table = ''
  for (const line of lines(text)) {
    const chain = `${table} ${line.replace(/^:|^-A /, '').split(' ')[0]}`
    if (line.startsWith('*')) table = line.slice(1)
    else if (line.startsWith(':') && !BUILT_IN.test(line)) found[chain] ??= []
    else if (line.startsWith('-A')) found[chain] = [...(found[chain] ?? []), line]
  }
  return found
}
