// What eucanetd leaves on a node, made by plain tools from our own files, and a process of its name.

import type { Lab } from '../../lab/make-lab.ts'
import { viewFile } from '../../lab/write-files.ts'
import type { Bundle } from '../../src/bundle/bundle.ts'
import { declaredBundle } from '../../src/commands/node-bundle.ts'
import { loadInventory } from '../../src/config/inventory.ts'
import { packageTemplates } from '../../src/config/templates.ts'
import { modeOf } from '../../src/modes/index.ts'
import { readView } from '../../src/view/parse.ts'
import type { View } from '../../src/view/view.ts'
import { textOf } from '../bundle/rule-set.ts'

/** Its instances are in the view's order, which is the database's; ours are by address. */
type Order = 'by address' | 'backwards'

export async function eucanetdMakes(lab: Lab, name: string, order: Order = 'by address'): Promise<void> {
  const node = lab.node(name)
  const rendered = await filesOf(lab, name, order)
  await node.run('ipset restore', { stdin: rendered('ipset.restore') })
  await node.run('iptables-restore', { stdin: rendered('iptables.restore') })
  await node.run('ebtables-restore', { stdin: rendered('ebtables.restore') })
  await node.run('cat > /run/eucalyptus/net/euca-dhcp.conf', { stdin: rendered('dhcpd.conf') })
  const elastic = [...rendered('addresses').matchAll(/^address (\S+ dev \S+)$/gm)].map(([, address]) => address)
  await node.run(`
    ${elastic.map((address) => `ip address add ${address}`).join('\n')}
    touch /run/eucalyptus/net/euca-dhcp.leases
    dhcpd -q -cf /run/eucalyptus/net/euca-dhcp.conf br0 2> /dev/null
    cp /bin/sleep /run/eucanetd
    setsid /run/eucanetd 1000 < /dev/null > /dev/null 2>&1 &
    echo $! > /run/eucalyptus/eucanetd.pid`)
}

async function filesOf(lab: Lab, name: string, order: Order): Promise<(file: string) => string> {
  const bundle = await bundleFor(lab, name, order)
  return (file) => textOf(bundle, file)
}

/** What a push would bring to a node of the lab now. */
export async function bundleFor(lab: Lab, name: string, order: Order = 'by address'): Promise<Bundle> {
  const { view } = readView(await lab.clc.run(`cat ${viewFile}`), 'view.xml')
  const planned = lab.plan.nodes.find((node) => node.name === name)
  const listed = loadInventory(lab.files.inventory, 'the test').nodes.find((node) => node.name === name)
  if (!planned || !listed) throw new Error(`the lab has no node ${name}`)
  const facts = { bridge: { mac: planned.bridgeMac, addresses: planned.bridgeAddresses }, eucalyptusVersion: '5.1.0' }
  const mode = modeOf(view, 'the test')
  const ordered = order === 'by address' ? view : backwards(view)
  const gathered = { view: ordered, mode, templates: packageTemplates() }
  return declaredBundle({ ...listed, facts }, gathered)
}

function backwards(view: View): View {
  const clusters = view.clusters.map((cluster) => ({
    ...cluster,
    nodes: cluster.nodes.map((node) => ({ ...node, instances: node.instances.toReversed() })),
  }))
  return { ...view, clusters, instances: view.instances.toReversed() }
}
