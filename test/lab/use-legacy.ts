// Nodes of a lab take the iptables of before nftables, as an administrator chooses them.

import type { Lab } from '../../lab/make-lab.ts'

/** Shell. */
export const chooseLegacy = `
for tool in iptables iptables-save iptables-restore; do
  ln -sf "/usr/sbin/$(echo $tool | sed s/iptables/iptables-legacy/)" "/etc/alternatives/$tool"
done
iptables -V`

export async function useLegacy(lab: Lab): Promise<void> {
  for (const node of lab.nodes) {
    const version = await node.run(chooseLegacy)
    if (!version.includes('(legacy)')) throw new Error(`${node.name} has ${version}`)
  }
}
