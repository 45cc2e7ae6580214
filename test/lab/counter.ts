import type { Station } from '../../lab/probes-from.ts'

/** From now on the host counts the packets that come to it and match; the answer tells how many. */
export async function counter(host: Station, match: string): Promise<() => Promise<number>> {
  await host.run(`iptables -t raw -I PREROUTING 1 ${match}`)
  return async () => {
    const [, count = ''] = /^\[(\d+):\d+\] -A PREROUTING/m.exec(await host.run('iptables-save -c -t raw')) ?? []
    return Number(count)
  }
}
