// Whatever happens, in whatever order: pushes, faults at any step of them, locks that are held, edits by hand, power cuts.
// After each, every node holds what the model of it says.
//
//   EDGEPUSH_STEPS=500 EDGEPUSH_SEED=7 npx vitest run test/lab/faults/long-run.test.ts
//
// Without them it is a short run, always the same. What fails says its seed and everything that happened before.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../../lab/make-lab.ts'
import { describeLab } from '../with-lab.ts'
import { everything } from './combinations.ts'
import { findSteps } from './find-steps.ts'
import { startGround } from './ground.ts'
import { startOrdeal } from './ordeal.ts'
import { randomFrom } from './random.ts'
import { wire } from './tripwire.ts'
import { getToKnow } from './try-round.ts'

const NODES = 4
const { EDGEPUSH_STEPS: STEPS = '12', EDGEPUSH_SEED: SEED = '1' } = process.env
const PATIENCE = 300_000 + Number(STEPS) * 120_000

describeLab('nodes to which anything may happen', () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await startGround(NODES, '5s')
  })
  afterAll(() => lab?.stop())

  it('hold what the model says at every step', { timeout: PATIENCE }, async () => {
    const known = await getToKnow(lab)
    await Promise.all(lab.nodes.map(wire))
    const combinations = everything(await findSteps(lab, lab.node('nc-01')))
    const ordeal = startOrdeal(lab, known, combinations, randomFrom(Number(SEED)))
    const happened: string[] = []
    try {
      while (happened.length < Number(STEPS)) happened.push(await ordeal.step())
      await ordeal.end()
    } catch (error) {
      expect.fail(`seed ${SEED}, after\n${happened.join('\n')}\n${String(error)}`)
    }
    console.error(`seed ${SEED}: ${happened.length} steps, ${combinations.length} faults to choose from`)
  })
})
