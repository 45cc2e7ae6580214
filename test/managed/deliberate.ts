/**
 * Where the original is not followed, on purpose: the table "Different from eucanetd" of the mode's page, as what it
 * changes in the original's state.
 */

type Reference = (file: string) => string

/** Of a case: what is another line here, or none. */
const DIFFERENT: Readonly<Record<string, readonly (readonly [file: string, from: RegExp, to: string])[]>> = {
  'every-rule-form': [
    // Ports 0-N are exactly those.
    ['iptables', /(-s 192\.0\.2\.9\/32 .* -p udp -m udp) (-m mark)/, '$1 --dport 0 $2'],
    // A port range that ends before it begins.
    ['iptables', /^.* --dport 9000 .*\n/m, ''],
  ],
  // An instance whose public address is its private one.
  'public-equal-to-private-or-absent': [
    ['iptables', /^-A \S+ -s 172\.20\.0\.0\/16 -d 172\.20\.4\.(9|254)\/32 -j MARK .*\n/gm, ''],
    ['iptables', /^-A .* -j (DNAT|SNAT) --to-\S+ 172\.20\.4\.(9|254)\n/gm, ''],
    ['addr', /^eth0 172\.20\.4\.(9|254)\/32 .*\n/gm, ''],
  ],
}

export function withoutDeliberate(name: string, reference: Reference): Reference {
  return (file) => {
    return (DIFFERENT[name] ?? []).reduce((text, [changed, from, to]) => {
      if (changed !== file || !/^-A|scope link$/m.test(text)) return text
      if (text.search(from) < 0) throw new Error(`${name} has nothing like ${from}`)
      return text.replace(from, to)
    }, reference(file))
  }
}
