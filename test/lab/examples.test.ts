// What README and --help say to type is typed, with the example files of this repository, and does what it should.
//
// Invariant: inventories/lab.yml and playbooks/push.yml are taken as they are, but for the pause between two stages. The
// lab is the cloud that they tell of: the same names, addresses, ports and keys.

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Finished } from '../../lab/commands-in.ts'
import type { Lab } from '../../lab/make-lab.ts'
import { packageRoot } from '../../lab/start-agent.ts'
import { startLab } from '../../lab/start-lab.ts'
import { sampleWorld } from '../../lab/world.ts'
import { describeLab } from './with-lab.ts'

const ROOT = packageRoot()
const SERVED = ['nc-01', 'nc-02', 'nc-05']
/** Stands in examples for a run that waits for its confirmation. */
const SOME_RUN = '20260101T120000Z-0a1b2c'
/** These want a run that has nodes of its own, and a person at a terminal: test/commands has both. */
const REFUSED: readonly (readonly [line: string, why: string])[] = [
  [`edgepush lock release ${SOME_RUN}`, `no node is held by a run "${SOME_RUN}"`],
  ['edgepush trust add -i inventories/lab.yml --node nc-05', 'nobody is at a terminal to be asked'],
]
/** Of this machine, which is the admin host's, too. */
const OURS: readonly (readonly [from: string, to: string])[] = [
  ['/etc/edgepush/', ''],
  ['/var/lib/node_exporter/', ''],
]

/** The lines of the block under a heading that are typed, without what is said of them. */
function typedIn(readme: string, heading: string): readonly string[] {
  const block = readme.split(`\n${heading}\n`)[1]?.split('```')[1] ?? ''
  return block.split('\n').flatMap((line) => /^edgepush .*?(?= +#|$)/.exec(line) ?? [])
}

function examplesOfHelp(): readonly string[] {
  const pages = join(ROOT, 'test/commands/help')
  const lines = readdirSync(pages).flatMap(
    (page) => readFileSync(join(pages, page), 'utf8').split('\nExample:\n')[1] ?? [],
  )
  return [...new Set(lines.map((line) => line.trim()))]
}

const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
const ofReadme = typedIn(readme, '## Use')
const ofHelp = examplesOfHelp()

describeLab('the examples', () => {
  let lab: Lab
  let folder: string
  let ports = 8000

  beforeAll(async () => {
    lab = await startLab({ nodes: 5, world: sampleWorld(SERVED) })
    folder = join(lab.files.directory, 'examples')
    await Promise.all([writeExamples(lab, folder), nameHosts(lab)])
  })
  afterAll(() => lab?.stop())

  const env = () => ({ PATH: `${folder}/bin:/usr/bin:/bin` })
  const type = (line: string): Promise<Finished> => lab.admin.exec(line, { cwd: folder, env: env(), timeout: 120_000 })
  const start = (line: string): ChildProcess => lab.admin.spawn(`exec ${line}`, { cwd: folder, env: env() })

  async function mustType(line: string): Promise<void> {
    const { code, stderr } = await type(line)
    expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: expect.not.stringContaining('error') })
  }

  /** A watch ends when it is told to, once it has done what it should; everything else by itself. */
  async function mustWatch(line: string): Promise<void> {
    const child = start(line)
    const ended = once(child, 'close')
    let said = ''
    child.stderr?.on('data', (data) => {
      said += data
    })
    await expect.poll(() => said, { timeout: 60_000 }).toContain('3 of 3 nodes asked: ')
    lab.admin.kill(child, 'SIGINT')
    expect(await ended).toEqual([130, null])
  }

  const isWatch = (line: string) => line.startsWith('edgepush watch ')

  it('of the README, in their order', async () => {
    for (const line of ofReadme) {
      if (isWatch(line)) await mustWatch(line)
      else await mustType(line)
    }
    expect(ofReadme.length).toBeGreaterThan(10)
  })

  it.each(ofHelp.filter((line) => !REFUSED.some(([refused]) => refused === line)))('of --help: %s', async (example) => {
    await mustType('edgepush push -i inventories/lab.yml --view view.xml')
    const line = OURS.reduce((text, [from, to]) => text.replace(from, to), example)
    if (isWatch(line)) return await mustWatch(line)
    if (!line.includes(SOME_RUN)) return await mustType(line)
    const run = await waitingRun()
    try {
      await mustType(line.replace(SOME_RUN, run))
    } finally {
      await type(`edgepush abort ${run}`)
    }
  })

  it.each(REFUSED)('of --help, as it is told here: %s', async (line, why) => {
    expect(ofHelp).toContain(line)
    expect(await type(line)).toMatchObject({ code: 64, stderr: expect.stringContaining(why) })
  })

  /** A group of one node lets in one more port, and nobody has confirmed it yet. */
  async function waitingRun(): Promise<string> {
    ports += 1
    const world = lab.world()
    await lab.publish({ ...world, groups: { ...world.groups, 'sg-cccccccc': [`tcp ${ports} from anywhere`] } })
    const { code, stdout, stderr } = await type('edgepush push playbooks/push.yml --confirm-window 5m --json')
    const run = /"run":"([^"]+)"/.exec(stdout)?.[1]
    if (code !== 0 || run === undefined) throw new Error(`${stderr}${stdout}`)
    return run
  }
})

async function writeExamples(lab: Lab, folder: string): Promise<void> {
  const home = join(lab.files.directory, 'admin')
  await Promise.all([mkdir(join(folder, 'bin'), { recursive: true }), mkdir(join(home, '.ssh'))])
  const program = `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'dist/cli.js')}' "$@"\n`
  await writeFile(join(folder, 'bin/edgepush'), program, { mode: 0o755 })
  for (const examples of ['inventories', 'playbooks']) {
    await cp(join(ROOT, examples), join(folder, examples), { recursive: true })
  }
  const playbook = join(folder, 'playbooks/push.yml')
  await writeFile(playbook, (await readFile(playbook, 'utf8')).replace('pause: 30s', 'pause: 1s'))
  await cp(lab.files.key, join(home, '.ssh/lab'))
  await writeFile(join(folder, 'inventories/lab.known_hosts'), knownAs(await readFile(lab.files.knownHosts, 'utf8')))
  await writeFile(join(folder, 'view.xml'), lab.view(lab.world()))
  const configurations = join(ROOT, 'test/view/samples/configuration')
  await cp(join(configurations, 'edge-1cluster-2nc.v5.network_configuration.yaml'), join(folder, 'network.yaml'))
}

/** The keys of known_hosts under the names by which the examples reach them. */
function knownAs(knownHosts: string): string {
  return knownHosts.replace(/^10\.111\.5\.55 /m, '[nc-05.mgmt]:2222 ').replace(/^10\.111\.5\.10 /m, 'clc-01 ')
}

async function nameHosts({ admin, node, plan: { clc } }: Lab): Promise<void> {
  const { address } = node('nc-05')
  const hosts = `127.0.0.1 localhost\n${address} nc-05.mgmt\n${clc.address} ${clc.name}\n`
  await admin.run('cat > /run/hosts && mount --bind /run/hosts /etc/hosts', { stdin: hosts })
  await node('nc-05').run('/usr/sbin/sshd -p 2222 -o PidFile=/run/sshd.management.pid -E /run/sshd.management.log')
}
