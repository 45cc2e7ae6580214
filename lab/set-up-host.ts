// A host that is open and plugged in becomes a station: its set-up script has run and its agent listens.

import { join } from 'node:path'
import { makeStation } from './make-station.ts'
import type { Host } from './open-host.ts'
import type { LabPlan } from './plan-lab.ts'
import type { Station } from './probes-from.ts'
import * as scripts from './set-up-scripts.ts'
import { writeScript } from './write-files.ts'

const metadataPort = 8773

export async function setUpHost(host: Host, plan: LabPlan, directory: string): Promise<Station> {
  const script = await writeScript(directory, host.name, scriptOf(host.name, plan, directory))
  const station = makeStation(host, deviceOf(host.name, plan), portsOf(host.name, plan))
  await host.setUp(script)
  return await station
}

function scriptOf(name: string, plan: LabPlan, directory: string): string {
  const node = plan.nodes.find((one) => one.name === name)
  if (node) return scripts.nodeScript(node, join(directory, name))
  const controller = plan.controllers.find((one) => one.name === name)
  if (controller) return scripts.clusterScript(controller, join(directory, name), plan.mode === 'MANAGED')
  if (name === plan.clc.name) return scripts.controllerScript(plan.clc, join(directory, name))
  if (name === plan.router.name) return scripts.routerScript(plan.router)
  if (name === plan.outside.name) return scripts.outsideScript(plan.outside)
  if (name === plan.admin.name) return scripts.adminScript(plan.admin)
  return scripts.switchScript()
}

function portsOf(name: string, plan: LabPlan): readonly number[] {
  if (name === plan.clc.name) return [metadataPort]
  return name === plan.outside.name ? [scripts.catchAllPort] : []
}

function deviceOf(name: string, plan: LabPlan): string {
  const node = plan.nodes.find((one) => one.name === name)
  if (node) return node.bridgeAddresses.length > 0 ? 'br0' : 'eth0'
  return name === 'router' ? 'pub' : 'eth0'
}
