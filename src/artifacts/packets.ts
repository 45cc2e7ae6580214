import type { RuleMatch } from '../view/view.ts'

/** Protocol and ports of a rule in iptables' words: the only place that knows them. */
export function packets(match: RuleMatch): string {
  switch (match.protocol) {
    case 'tcp':
    case 'udp': {
      const { protocol, ports } = match
      const base = `-p ${protocol} -m ${protocol}`
      if (ports === 'all') return base
      return `${base} --dport ${ports.from === ports.to ? ports.from : `${ports.from}:${ports.to}`}`
    }
    case 'icmp': {
      const code = match.code === 'any' ? '' : `/${match.code}`
      return `-p icmp -m icmp --icmp-type ${match.type === 'any' ? 'any' : `${match.type}${code}`}`
    }
    default:
      return `-p ${match.protocol}`
  }
}
