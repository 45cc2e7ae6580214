/** The iptables of before nftables, on one node. */
export const toLegacy = `
for tool in iptables iptables-save iptables-restore; do
  ln -sf "/usr/sbin/$(echo $tool | sed s/iptables/iptables-legacy/)" "/etc/alternatives/$tool"
done`
