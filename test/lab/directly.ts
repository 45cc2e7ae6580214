import { expect } from 'vitest'
import type { Lab } from '../../lab/make-lab.ts'
import { startLab } from '../../lab/start-lab.ts'
import type { World } from '../../lab/world.ts'
import { dump, shown } from './dump.ts'
import { mustPush } from './push.ts'

/** Every node of a lab of one cluster holds what a node holds that never saw another view than this. */
export async function expectAsIfDirectly(lab: Lab): Promise<void> {
  const fresh = await startLab({ nodes: lab.nodes.length, world: { ...lab.world(), instances: placed(lab) } })
  try {
    await mustPush(fresh)
    for (const { name } of lab.nodes) {
      expect(await shown(lab.node(name))).toBe(await shown(fresh.node(name)))
      const { routes: _, ...direct } = await dump(fresh.node(name))
      expect(await dump(lab.node(name))).toMatchObject(direct)
    }
  } finally {
    await fresh.stop()
  }
}

/** With the addresses that they have here: another lab would give out others. */
function placed(lab: Lab): World['instances'] {
  const instances = Object.entries(lab.world().instances).map(([id, instance]) => {
    const { address, publicAddress } = lab.instance(id)
    return [id, { ...instance, address, ...(publicAddress ? { public: publicAddress } : {}) }] as const
  })
  return Object.fromEntries(instances)
}
