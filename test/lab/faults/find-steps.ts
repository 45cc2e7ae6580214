import type { Lab } from '../../../lab/make-lab.ts'
import type { LabNode } from '../../../lab/make-node.ts'
import { mustPush, push } from '../push.ts'
import type { Steps } from './combinations.ts'
import { otherSide, type Side, worlds } from './ground.ts'
import { arm, expireWindow, mend, type Step, stepsOf, type Trap } from './tripwire.ts'

/**
 * From pushes of one node that holds side a, and holds it again afterwards: undisturbed, killed when all is made, and
 * killed there with nobody to ask again.
 */
export async function findSteps(lab: Lab, node: LabNode): Promise<Steps> {
  const forward = await stepsTo(lab, node, 'b', [], 'stage', 'check', 'commit', 'confirm')
  const last = forward.findLast(({ verb, call }) => verb === 'commit' && call.includes('pending.new'))
  if (!last) throw new Error('a commit that does not write down that it waits')
  const back = await stepsTo(lab, node, 'a', [{ at: last, fault: 'killed' }], 'confirm')
  const expiring = await stepsTo(lab, node, 'b', [{ at: last, fault: 'killed and gone' }], 'expire')
  await pushTo(lab, node, 'a')
  return { forward, last, back, expiring }
}

async function stepsTo(
  lab: Lab,
  node: LabNode,
  side: Side,
  traps: readonly Trap[],
  ...verbs: readonly string[]
): Promise<readonly Step[]> {
  await pushTo(lab, node, otherSide[side])
  // Whoever watched over that one must not be counted.
  await expireWindow(node)
  await arm(node, traps)
  await lab.publish(worlds(lab.nodes.length)[side])
  await push(lab, ['--node', node.name])
  await expireWindow(node)
  const steps = await stepsOf(node, ...verbs)
  await mend(node)
  return steps
}

async function pushTo(lab: Lab, node: LabNode, side: Side): Promise<void> {
  await lab.publish(worlds(lab.nodes.length)[side])
  await mustPush(lab, ['--node', node.name])
}
