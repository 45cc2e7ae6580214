/**
 * How rules are recognised that the original has written into built-in chains, where it has no chains of its own.
 *
 * A rule of the administrator may look like one of them, so each has to say more than that: FORWARD has the original's when
 * it jumps to its counters, and an address is one of its elastic addresses when it was marked as such before.
 */

import { sh } from '../../artifacts/artifact.ts'

export const FORMER_RULES = sh`
  function is_former() {
    if (table == "filter" && $2 == "FORWARD") {
      if ($4 == "EUCA_COUNTERS_IN") counted = 1
      if (!counted) return 0
      if (body() == "-m conntrack --ctstate ESTABLISHED -j ACCEPT") return 1
      if (NF == 7 && $3 $4 $6 $7 == "!-d-jACCEPT") return 1
      return NF == 8 && $3 $5 $7 $8 == "-s-d-jACCEPT" && $4 == $6
    }
    if (table != "nat") return 0
    if ($2 == "PREROUTING" || $2 == "OUTPUT") {
      if (/ -d 169[.]254[.]169[.]254\/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination [0-9.]+:8773$/) return NF == 14
      if (NF == 10 && / -j MARK --set-xmark 0x15\/0xffffffff$/) return elastic[$6] = network[$4] = 1
      return NF == 8 && $3 $5 $6 == "-d-jDNAT" && ($4 in elastic)
    }
    if ($2 != "POSTROUTING" || $3 != "-s") return 0
    if (NF == 9 && $8 $9 == "-jMASQUERADE") return $5 $6 == "!-d" && $7 == $4 && ($4 in network)
    return $(NF - 1) == "--to-source" && ($NF "/32") in elastic
  }`
