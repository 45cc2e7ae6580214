// Releases that would bring harm to nodes, to see what a node does about it.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Lab } from '../../../lab/make-lab.ts'
import { type Pushed, push } from '../push.ts'
import { spoiltRelease } from './spoilt.ts'

export type Release =
  | 'our release'
  /** New logins go elsewhere; what is connected stays. */
  | 'a release that forwards SSH'
  | 'a release that drops SSH'
  /** A commit may take two seconds. */
  | 'a release in a hurry'

type Bring = (...args: readonly string[]) => Promise<Pushed>

/** Pushes with our release, and with releases of which one file is wrong. */
export async function releasesFor(lab: Lab): Promise<Readonly<Record<Release, Bring>>> {
  const playbook = await readFile(lab.files.playbook, 'utf8')
  await writeFile(join(lab.files.directory, 'hurry.yml'), playbook.replace('parallel:', 'window: 5s, parallel:'))
  const rule = (before: string, chain: string, target: string) => (text: string) =>
    text.replace(before, `-A ${chain} -p tcp -m tcp --dport 22 -j ${target}\n${before}`)
  const filters = 'templates/edge/iptables.hbs'
  const forward = rule('-A PREROUTING -j EUCA_NAT_PRE_POST', 'EUCA_NAT_PRE', 'DNAT --to-destination 192.0.2.99')
  const forwards = await spoiltRelease(lab, 'forwards', filters, forward)
  const drop = rule('-A EUCA_RAW_PRE -j EUCA_COUNTERS_IN', 'EUCA_RAW_PRE', 'DROP')
  const drops = await spoiltRelease(lab, 'drops', filters, drop)
  const hurries = await spoiltRelease(lab, 'hurries', 'templates/node/window.sh', (text) =>
    text.replace('longest_commit=120', 'longest_commit=2'),
  )
  return {
    'our release': (...args) => push(lab, args, { timeout: 90_000 }),
    'a release that forwards SSH': (...args) => forwards('push.yml', ...args),
    'a release that drops SSH': (...args) => drops('hurry.yml', ...args),
    'a release in a hurry': (...args) => hurries('hurry.yml', ...args),
  }
}
