// Clouds by chance, pushed once, and then packets between everybody: each must be as the oracle says.
// EDGEPUSH_SEED=7 tries another cloud in every layout.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { planLab } from '../../lab/plan-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import { anyWorld } from './any-world.ts'
import { askAll, bootAll, flowsOf } from './flows.ts'
import { all, mustPush } from './push.ts'
import { describeLab } from './with-lab.ts'

const chosen = process.env.EDGEPUSH_SEED

const clouds = [
  { networks: 'one', clusters: 1, seed: 1 },
  { networks: 'two', clusters: 1, seed: 2 },
  { networks: 'one', clusters: 2, seed: 3 },
  { networks: 'two', clusters: 2, seed: 4 },
].map((cloud) => ({ ...cloud, seed: chosen === undefined ? cloud.seed : Number(chosen) })) as readonly Cloud[]

interface Cloud {
  readonly networks: 'one' | 'two'
  readonly clusters: 1 | 2
  readonly seed: number
}

describeLab.each(clouds)('a cloud by chance, $networks network(s), $clusters cluster(s), seed $seed', (cloud) => {
  let lab: Lab

  beforeAll(async () => {
    const options = { nodes: 3, networks: cloud.networks, clusters: cloud.clusters }
    const world = anyWorld(planLab(options), cloud.seed)
    lab = await startLab({ ...options, world })
    expect(await mustPush(lab)).toEqual(all(lab, 'converged'))
    await bootAll(lab)
  })
  afterAll(() => lab?.stop())

  it('lets through what the oracle says, from the source that it says, and nothing else', async () => {
    const { asked, answered, wrong } = await askAll(lab, flowsOf(lab))
    console.log(`seed ${cloud.seed}: ${asked} flows probed, ${answered} answered, ${wrong.length} wrong`)
    expect(wrong, `the world: ${JSON.stringify(lab.world(), null, 2)}`).toEqual([])
    expect(answered).toBeGreaterThan(100)
    expect(asked - answered).toBeGreaterThan(100)
  })
})
