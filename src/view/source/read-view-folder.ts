/**
 * A folder that stands for a view. Either `eucalyptus.conf` and `instances.yml`, of a cloud that publishes none; or the text
 * files of 3.4 (see view/wire34): `config-cc`, `network-topology`, and `local-net` of one node or `local-net.ADDRESS` of each. What
 * else lies there is not looked at, and `local-net.stage` is a file that is being written.
 */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT, Refusal } from '../../error.ts'
import { configuredView } from './configured-view.ts'
import { readLocalFile } from './read-local-file.ts'
import type { SourcedView } from './sourced-view.ts'

const CONF = 'eucalyptus.conf'
const LIST = 'instances.yml'

const NEEDED = ['config-cc', 'network-topology']

export async function readViewFolder(folder: string): Promise<SourcedView> {
  const there = await readdir(folder)
  if (there.includes(CONF) && there.includes(LIST)) return await readConfigured(folder)
  const nodes = there.filter((name) => /^local-net(\.\d+\.\d+\.\d+\.\d+)?$/.test(name)).toSorted()
  const missing = [...NEEDED.filter((name) => !there.includes(name)), ...(nodes.length === 0 ? ['local-net'] : [])]
  if (missing.length > 0) {
    const other = there.includes(CONF) ? LIST : missing.join(' and ')
    throw new Refusal(EXIT.noInput, `${folder} is a folder, and without ${other} it is not a view`)
  }
  const files = await Promise.all([...NEEDED, ...nodes].map((name) => readLocalFile(join(folder, name), name)))
  const times = files.flatMap(({ modified }) => modified?.getTime() ?? [])
  return {
    files: files.map(({ origin, text }) => ({ name: origin, text })),
    text: files.map(({ origin, text }) => `==> ${origin} <==\n${text}\n`).join(''),
    origin: folder,
    // As old as the oldest part of it.
    modified: new Date(Math.min(...times)),
  }
}

async function readConfigured(folder: string): Promise<SourcedView> {
  const [conf, list] = [join(folder, CONF), join(folder, LIST)]
  return configuredView(await readLocalFile(conf, conf), await readLocalFile(list, list))
}
