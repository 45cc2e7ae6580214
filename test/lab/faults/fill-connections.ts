/**
 * Shell: the table of connections of a node is full, of ones that are not given up for new ones; what would end by itself
 * and leave a place is gone. How many it takes is said by the machine, counted is by namespace: nobody else's is full.
 */
export const fillConnections = String.raw`
for old in '-p tcp --state TIME_WAIT' '-p tcp --state CLOSE' '-p udp' '-p icmp'; do conntrack -D $old > /dev/null 2>&1; done
awk -v room="$(cat /proc/sys/net/netfilter/nf_conntrack_max)" 'BEGIN {
  for (i = 0; i < room; i++)
    printf "-A -p tcp -s 198.18.%d.%d -d 198.19.0.1 --sport %d --dport 9 --state ESTABLISHED -t 3600 -u SEEN_REPLY,ASSURED\n",
      i % 256, int(i / 256) % 256, 1024 + int(i / 65536) }' > /tmp/connections
conntrack -R /tmp/connections > /dev/null 2>&1 < /dev/null
rm /tmp/connections`
