/**
 * What the cloud controller is asked to run, and how its answer is read.
 *
 * The file is read between two looks at it that have to agree; if they do not, it is read again, a few times, in the
 * same exchange. The answer is framed by a mark that nobody can have guessed, so that whatever a login shell prints
 * before or after does not matter, and neither does an attempt that failed. The script is one function called in its
 * last line: half a script does nothing.
 */

export type RemoteFile =
  | { readonly kind: 'text'; readonly text: string; readonly size: number; readonly age: number }
  | { readonly kind: 'missing' | 'irregular' | 'unreadable' | 'unknown' | 'unstable' }

const WORDS = ['missing', 'irregular', 'unreadable', 'unknown', 'unstable'] as const

const SCRIPT = `
look() {
  stat -Lc '%s %Y %y %i' -- "$file"
}
fetch() {
  [ -e "$file" ] || { say missing; return; }
  [ -f "$file" ] || { say irregular; return; }
  [ -r "$file" ] || { say unreadable; return; }
  for attempt in 1 2 3 4 5; do
    before=$(look) || { say unknown; return; }
    say "begin $(date +%s) $before"
    cat -- "$file"
    [ "$(look)" = "$before" ] && { say end; return; }
    sleep 1
  done
  say unstable
}
say() {
  printf '\\n%s %s\\n' "$mark" "$1"
}
fetch
`

export function writeRemoteScript(file: string, mark: string): string {
  return `mark='${mark}' file='${file.replaceAll("'", `'\\''`)}'\n${SCRIPT}`
}

/** Undefined if the answer is not one of this script. */
export function readRemoteReply(stdout: string, mark: string): RemoteFile | undefined {
  const begin = stdout.lastIndexOf(`\n${mark} begin `)
  const end = stdout.lastIndexOf(`\n${mark} end\n`)
  if (begin !== -1 && begin < end) return readFrame(stdout.slice(begin + 1, end))
  const kind = WORDS.find((word) => stdout.includes(`\n${mark} ${word}\n`))
  return kind && { kind }
}

function readFrame(frame: string): RemoteFile | undefined {
  const head = frame.slice(0, frame.indexOf('\n'))
  const [now, size, modified] = head.split(' ').slice(2).map(Number)
  if (now === undefined || size === undefined || modified === undefined) return undefined
  if (Number.isNaN(now + size + modified)) return undefined
  return { kind: 'text', text: frame.slice(head.length + 1), size, age: now - modified }
}
