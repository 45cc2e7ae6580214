/** A run has its nodes to itself: those that another run has are refused before anything is asked of them. */

import { type Holding, holdNodes } from '../record/lock.ts'
import { lifeOf, type Owner, ownerHere } from '../record/owner.ts'
import type { Told } from '../run/run-node.ts'
import type { RunStage } from '../run/run-stages.ts'
import type { Context } from './context.ts'

export interface HeldStages {
  readonly stages: readonly RunStage[]
  readonly release: () => void
}

export function holdStages(
  stages: readonly RunStage[],
  { run, command, cloud }: { readonly run: string; readonly command: string; readonly cloud: string },
  { stateFolder, pid, clock, terminal }: Context,
): HeldStages {
  const nodes = stages.flatMap(({ tasks }) => tasks.map(({ name }) => name))
  const holding = holdNodes(stateFolder, cloud, nodes, ownerHere(run, command, pid, clock()))
  for (const line of inheritances(holding)) terminal.err(`${line}\n`)
  return {
    release: holding.release,
    stages: stages.map((stage) => ({
      ...stage,
      tasks: stage.tasks.map((task) => {
        const owner = holding.heldByOthers.get(task.name)
        return owner ? { ...task, already: heldBy(owner) } : task
      }),
    })),
  }
}

function inheritances({ inherited }: Holding): readonly string[] {
  const owners = new Map([...inherited.values()].map((owner) => [owner.run, owner]))
  return [...owners.values()].map((owner) => {
    const nodes = [...inherited].filter(([, { run }]) => run === owner.run).map(([node]) => node)
    const which = nodes.length > 10 ? `${nodes.length} nodes` : nodes.join(', ')
    return `${which}: ${describe(owner)} had the lock and is gone: taken over`
  })
}

function heldBy(owner: Owner): Told {
  const wait = `wait for it, or end it: kill ${owner.pid}`
  const next =
    lifeOf(owner) === 'elsewhere' ? `if it is gone from ${owner.host}: edgepush lock release ${owner.run}` : wait
  return { status: 'refused', heldElsewhere: true, reason: `${describe(owner)} has it`, next, notes: [] }
}

export function describe({ run, command, user, host, pid, since }: Owner): string {
  return `run ${run} (${command} by ${user} on ${host}, process ${pid}, since ${since})`
}
