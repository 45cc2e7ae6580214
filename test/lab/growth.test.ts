// What a node costs the admin host does not grow with the number of nodes that are pushed to. Counted is work, not time: with
// NODE_V8_COVERAGE a process of Node.js writes down how often each function and each branch of it ran.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { packageRoot } from '../../lab/start-agent.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { readPushed } from './push.ts'
import { describeLab } from './with-lab.ts'

const names = Array.from({ length: 8 }, (_, index) => `nc-0${index + 1}`)
const world = (port: number): World => ({
  instances: Object.fromEntries(names.map((node, index) => [`i-0000000${index}`, { node, groups: ['sg-aaaaaaaa'] }])),
  groups: { 'sg-aaaaaaaa': [`tcp ${port} from anywhere`] },
})

interface Coverage {
  readonly result: readonly {
    readonly url: string
    readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[]
  }[]
}

describeLab('a push', () => {
  let lab: Lab

  beforeAll(async () => {
    lab = await startLab({ nodes: names.length, world: world(22) })
    await workOfPush(1)
  })
  afterAll(() => lab?.stop())

  /** Of our own code, for the first so many nodes, which all have a rule to change. */
  async function workOfPush(nodes: number, port = 22): Promise<number> {
    await lab.publish(world(port))
    const folder = join(lab.files.directory, `work-${nodes}-${port}`)
    const cli = join(packageRoot(), 'dist/cli.js')
    const argv = [process.execPath, cli, 'push', 'push.yml', '--json', '--limit', names.slice(0, nodes).join(':')]
    const env = { NODE_V8_COVERAGE: folder }
    const pushed = readPushed(await lab.admin.exec(argv, { cwd: lab.files.directory, env }))
    expect([pushed.code, Object.keys(pushed.outcomes).length]).toEqual([0, nodes])
    return workIn(folder)
  }

  it('costs as much for each of eight nodes as for each of two', async () => {
    const [one, two, four, eight] = [
      await workOfPush(1, 101),
      await workOfPush(2, 102),
      await workOfPush(4, 104),
      await workOfPush(8, 108),
    ]
    const further = two - one
    expect(further).toBeGreaterThan(1_000)
    expect((four - two) / 2).toBeLessThan(1.2 * further)
    expect((eight - four) / 4).toBeLessThan(1.2 * further)
  })
})

function workIn(folder: string): number {
  const ours = `file://${packageRoot()}/dist/`
  return readdirSync(folder)
    .flatMap((name): Coverage['result'] => JSON.parse(readFileSync(join(folder, name), 'utf8')).result)
    .filter(({ url }) => url.startsWith(ours))
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges.map(({ count }) => count)))
    .reduce((sum, count) => sum + count, 0)
}
