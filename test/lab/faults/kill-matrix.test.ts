// Every step of what a push does on a node, disturbed in every way: killed, cut off, failing, out of disk, and killed
// again on the way back. Whatever happens, the node ends in exactly the old or exactly the new state, the controller
// says which, other people's things are as they were, and the next push converges.
//
// The suite kills every step and tries the other faults at some; EDGEPUSH_FAULTS=all tries every fault at every step, and
// EDGEPUSH_FAULTS='dhcpd.* fails' what it matches of that: the names that failures are told by.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Lab } from '../../../lab/make-lab.ts'
import { describeLab } from '../with-lab.ts'
import { type Combination, everything, nameOf, type Steps, selection } from './combinations.ts'
import { findSteps } from './find-steps.ts'
import { otherSide, type Side, startGround } from './ground.ts'
import { wire } from './tripwire.ts'
import { getToKnow, type Known, tryRound } from './try-round.ts'

const NODES = 16
const HOUR = 3_600_000

describeLab('a push that is disturbed', () => {
  let lab: Lab
  let known: ReadonlyMap<string, Known>
  let side: Side = 'a'

  beforeAll(async () => {
    lab = await startGround(NODES, '5s')
    known = await getToKnow(lab)
    await Promise.all(lab.nodes.map(wire))
  }, HOUR)
  afterAll(() => lab?.stop())

  it(
    'leaves every node in exactly the old or exactly the new state',
    async () => {
      const steps = await findSteps(lab, lab.node('nc-01'))
      const combinations = chosen(steps, process.env.EDGEPUSH_FAULTS)
      const wrong: string[] = []
      for (let first = 0; first < combinations.length; first += NODES) {
        wrong.push(...(await tryRound(lab, known, side, combinations.slice(first, first + NODES))))
        side = otherSide[side]
      }
      console.error(`${combinations.length} combinations of ${steps.forward.length} steps and their ways back`)
      expect(wrong).toEqual([])
    },
    HOUR,
  )
})

function chosen(steps: Steps, faults: string | undefined): readonly Combination[] {
  if (faults === undefined) return selection(steps)
  const pattern = faults === 'all' ? /./ : new RegExp(faults)
  return everything(steps).filter((combination) => pattern.test(nameOf(combination)))
}
