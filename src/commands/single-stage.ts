import type { NodeTask } from '../run/run-node.ts'
import type { RunStage } from '../run/run-stages.ts'
import { FORKS } from './each-node.ts'

/** For commands that know no stages: all nodes at once. */
export function singleStage(
  name: string,
  tasks: readonly NodeTask[],
  { forks }: { readonly forks: number | undefined },
): readonly RunStage[] {
  return [{ name, tasks, parallel: forks ?? FORKS, batches: [], commit: 'each', failures: undefined, pause: 0 }]
}
