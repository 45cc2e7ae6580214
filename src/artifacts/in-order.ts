import { sh } from './artifact.ts'

/** For awk: puts the elements 1 to n of a list in the order of their bytes. */
export const ARRANGE = sh`
  function arrange(list, n,  gap, i, j, one) {
    for (gap = int(n / 2); gap > 0; gap = int(gap / 2))
      for (i = gap + 1; i <= n; i++) {
        one = list[i]
        for (j = i; j > gap && (list[j - gap] "") > (one ""); j -= gap) list[j] = list[j - gap]
        list[j] = one
      }
  }`

/**
 * For awk: what was kept of packet filters is printed in a fixed order: tables by name; in each the chains by name, the
 * jumps as they came, and the rules as they came, by their chain. A table of which nothing was kept is not printed.
 */
export const IN_ORDER = sh`${ARRANGE}
  function keep(part, chain, line,  place) {
    place = table " " part " " chain
    if (!(place in lines)) places[++kept] = place
    text[place, ++lines[place]] = line
  }
  function print_kept(ending,  i, n, at) {
    table = ""
    arrange(places, kept)
    for (i = 1; i <= kept; i++) {
      split(places[i], at, " ")
      if (at[1] != table) { if (table) printf "%s", ending; table = at[1]; print "*" table }
      for (n = 1; n <= lines[places[i]]; n++) print text[places[i], n]
    }
    if (table) printf "%s", ending
  }`
