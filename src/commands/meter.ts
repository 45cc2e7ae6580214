/** `edgepush meter`: traffic of each instance since its rules stand, from the counters of its node. */

import { render } from '../bundle/render.ts'
import { templateAt } from '../bundle/templates.ts'
import type { InventoryNode } from '../config/inventory.ts'
import { EXIT, type ExitCode, Refusal } from '../error.ts'
import { dutyOf } from '../modes/mode.ts'
import { resolveOptions } from '../modes/settings.ts'
import { type Meter, readMeters } from '../node/meter.ts'
import { csv, meterTable, openMetrics } from '../report/meters.ts'
import { working } from '../report/working.ts'
import { chosenNodes } from './chosen.ts'
import type { Context, ViewFlags } from './context.ts'
import { eachNode } from './each-node.ts'
import { configure, type Gathered, gather } from './gather.ts'
import { doubtsOf, warnOf } from './heed-doubts.ts'
import { served } from './node-bundle.ts'
import { type Failed, failed, worstOf } from './node-failure.ts'

export interface MeterFlags extends ViewFlags {
  readonly format: 'table' | 'csv' | 'openmetrics'
}

/** A node's meters, with the node's name. */
interface NodeMeter extends Meter {
  readonly node: string
}

export async function meter(playbook: string | undefined, flags: MeterFlags, context: Context): Promise<ExitCode> {
  const configuration = configure(flags, playbook, context)
  const nodes = chosenNodes(configuration.inventory, flags, context)
  const gathered = await gather(flags, configuration, context)
  warnOf(doubtsOf(gathered, configuration, nodes, context), context)
  const work = eachNode(served(nodes, gathered), flags, (node) => metersOf(node, gathered, context))
  const results = await working(context.terminal, 'reading counters', work)

  const meters = results.flatMap((result) => ('exitCode' in result ? [] : result))
  const failures = results.filter((result) => 'exitCode' in result)
  context.terminal.out(asText(meters, configuration.inventory.cloud, flags, context))
  for (const { message } of failures) context.terminal.err(`${message}\n`)
  return worstOf(failures)
}

async function metersOf(
  node: InventoryNode,
  { view, mode, templates }: Gathered,
  { transport }: Context,
): Promise<readonly NodeMeter[] | Failed> {
  if (!mode.metered) throw new Refusal(EXIT.usage, `${mode.name} counts nothing per instance`)
  const template = templateAt(templates, `${mode.name.toLowerCase()}/meter.sh.hbs`)
  try {
    const script = render(
      template,
      mode.metered(view, {
        address: node.address,
        options: resolveOptions(dutyOf(mode, node.role).options, node.options, {}).options,
      }),
    )
    return (await readMeters(transport, node.target, script)).map((one) => ({ node: node.name, ...one }))
  } catch (error) {
    return failed(node.name, error)
  }
}

function asText(meters: readonly NodeMeter[], cloud: string, { json, format }: MeterFlags, context: Context): string {
  if (json) {
    const first = { type: 'edgepush', format: 1, version: context.version, command: 'meter' }
    return [first, ...meters.map((one) => ({ type: 'meter', ...one }))]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join('')
  }
  if (format === 'csv') return csv(meters, context.clock())
  return format === 'openmetrics' ? openMetrics(meters, cloud) : meterTable(meters)
}
