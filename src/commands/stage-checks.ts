/** What a playbook wants verified, held against the view: what cannot be asked is told before any node is. */

import type { InventoryNode } from '../config/inventory.ts'
import type { StageNodes } from '../config/select.ts'
import type { Probe, StageCheck } from '../config/verify.ts'
import { EXIT, Refusal } from '../error.ts'
import type { Mode, Role } from '../modes/mode.ts'
import { type Check, nodeCheck, probeCheck } from '../run/check.ts'
import type { Doubt } from '../run/guard.ts'
import type { Instance, View } from '../view/view.ts'

interface Served {
  readonly view: View
  readonly mode: Pick<Mode, 'name' | 'duties'>
}

export function refuseChecks(stages: readonly StageNodes[], { view, mode }: Served): void {
  const defects = stages.flatMap(({ stage }) =>
    stage.checks.flatMap((check): readonly string[] => {
      if (check.kind === 'probe') {
        return instanceAt(view, check) ? [] : [`${check.where}: no instance of the view has the address ${check.to}`]
      }
      const names = [...new Set(Object.values(mode.duties).flatMap(({ checks }) => checks.map(({ name }) => name)))]
      if (names.includes(check.name)) return []
      const has = names.join(', ') || 'none'
      return [`${check.where}: ${check.name} is not a check of mode ${mode.name}; it has ${has}`]
    }),
  )
  if (defects.length > 0) throw new Refusal(EXIT.badConfig, defects.join('\n'))
}

/** Instances move: a probe of one that runs elsewhere would be left out without a word. */
export function doubtProbes(stages: readonly StageNodes[], { view }: Served): readonly Doubt[] {
  return stages.flatMap(({ stage, nodes }) =>
    stage.checks.flatMap((check) => {
      if (check.kind !== 'probe' || nodes.some((node) => runsOn(node, check, view))) return []
      const saw = `${check.where}: ${check.to} is on none of these nodes of stage "${stage.name}": it is not probed`
      return [{ guard: undefined, saw }]
    }),
  )
}

/** A probe is for the node that the instance runs on, and a check for hosts of the roles that have it. */
export function checksFor(
  node: InventoryNode,
  checks: readonly StageCheck[],
  { view, mode }: Served,
): readonly Check[] {
  return checks.flatMap((check) => {
    if (check.kind === 'node') return has(mode, node.role, check.name) ? [nodeCheck(check.name, check.timeout)] : []
    return runsOn(node, check, view) ? [probeCheck(check)] : []
  })
}

function has({ duties }: Served['mode'], role: Role, check: string): boolean {
  return duties[role]?.checks.some(({ name }) => name === check) ?? false
}

function runsOn({ address }: InventoryNode, probe: Probe, view: View): boolean {
  const id = instanceAt(view, probe)?.id
  const nodes = view.clusters.flatMap((cluster) => cluster.nodes)
  return id !== undefined && nodes.some(({ name, instances }) => name === address && instances.includes(id))
}

function instanceAt({ instances }: View, { to }: Probe): Instance | undefined {
  return instances.find(({ privateAddress, publicAddress }) => privateAddress === to || publicAddress === to)
}
