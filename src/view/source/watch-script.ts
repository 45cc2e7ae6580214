/**
 * What the cloud controller is asked to run while its view is followed, and what its lines mean.
 *
 * It says how the file looks when that has changed, and that it is still there when nothing has: a line that cannot be
 * written ends it, so that nothing stays behind where we are gone. It ends by itself after a while and is then begun anew.
 */

/** Seconds. */
const LASTS = 3_000

const SCRIPT = `
look() {
  stat -Lc '%s %y %i' -- "$file" 2> /dev/null || echo none
}
say() {
  printf '%s %s\\n' "$mark" "$1" 2> /dev/null || exit 0
}
follow() {
  before='' silent=0 end=$(($(date +%s) + lasts))
  while :; do
    now=$(look)
    if [ "$now" != "$before" ]; then
      say "looks $now"
      before=$now silent=0
    elif [ "$silent" -ge 20 ]; then
      [ "$(date +%s)" -lt "$end" ] || exit 0
      say alive
      silent=0
    fi
    silent=$((silent + 1))
    sleep 0.25 2> /dev/null || sleep 1
  done
}
follow
`

export function writeWatchScript(file: string, mark: string): string {
  return `mark='${mark}' lasts=${LASTS} file='${file.replaceAll("'", `'\\''`)}'\n${SCRIPT}`
}

/** How the file looks, if the line says that. */
export function readWatchLine(line: string, mark: string): string | undefined {
  const before = `${mark} looks `
  return line.startsWith(before) ? line.slice(before.length) : undefined
}
