/**
 * The script that brings a bundle to a node, of which only those files are in it that the node has not.
 *
 * Invariants: nothing becomes a bundle there before all of its digests were right, whatever its files came from; a file
 * that is in two bundles is one file with two names, so none is ever written again.
 */

import { type Bundle, type BundleFile, MANIFEST, SCRIPT } from '../bundle/bundle.ts'

/** The beginnings of digests of files that a node says it has. Only what is sent goes by them. */
export type Stored = ReadonlySet<string>

export const NOTHING_STORED: Stored = new Set()

export const STATE = '/var/lib/edgepush'
const SHORT = 16

/** What a node that has changed meanwhile says: nothing is staged, and the whole is to be sent. */
export const LACKS = 'lacks'

/** Files travel as here-documents inside the script: no second channel, no subsystem, and never half of a file. */
export function stageScript(bundle: Bundle, stored: Stored, adopting: 'adopting' | undefined): string {
  const { digest, files } = bundle
  const end = `edgepush-end-${digest.slice(0, 16)}`
  const sent = lacking(bundle, stored)
  const documents = sent.map(({ name, text }) => `cat > "$incoming/${name}" << '${end}'\n${text}${end}\n`)
  const isWhole = sent.length === files.length
  return `umask 077
bundle=${STATE}/gen/${digest}
incoming=${STATE}/incoming.$$
intact() { # folder
  cd "$1" 2> /dev/null && [ "$(sha256sum < ${MANIFEST})" = "${digest}  -" ] &&
    sed -n 's/^    "\\([^"]*\\)": "\\([0-9a-f]*\\)",*$/\\2  \\1/p' ${MANIFEST} | sha256sum -c - > /dev/null 2>&1
}
for left in ${STATE}/incoming.*; do
  [ -e "/proc/\${left##*.}" ] && [ -z "$(find "$left" -maxdepth 0 -mmin +60)" ] || rm -rf "$left"
done
( intact "$bundle" ) || {
mkdir -p ${STATE}/gen && mkdir "$incoming" || { echo "error ${STATE} cannot be written"; exit 20; }
trap 'rm -rf "$incoming"' EXIT
${documents.join('')}${isWhole ? '' : takeRest(sent)}
( intact "$incoming" ) || { ${isWhole ? "echo 'error the bundle arrived damaged: is the disk full?'" : `echo ${LACKS}`}; exit 20; }
rm -rf "$bundle" && sync "$incoming" "$incoming"/* && mv "$incoming" "$bundle" && sync ${STATE}/gen ||
  { echo "error $bundle cannot be written"; exit 20; }
}
sh "$bundle/${SCRIPT}" check ${adopting ?? ''}
`
}

function lacking({ digest, files }: Bundle, stored: Stored): readonly BundleFile[] {
  const manifest = files.find(({ name }) => name === MANIFEST)?.text ?? ''
  const { files: digests }: { readonly files: Readonly<Record<string, string>> } = JSON.parse(manifest)
  const digestOf = (name: string) => (name === MANIFEST ? digest : digests[name])
  return files.filter(({ name }) => !stored.has(digestOf(name)?.slice(0, SHORT) ?? ''))
}

/** By the manifests there, which may lie: it is checked afterwards, as a part of the whole. */
function takeRest(sent: readonly BundleFile[]): string {
  const names = sent.map(({ name }) => ` ${name}`).join('')
  return `ln $(awk -F '"' -v sent='${names} ' '
  !/^    "/ { next }
  NR == FNR { if (!index(sent, " " $2 " ")) wanted[$2 $4] = 1; next }
  ($2 $4) in wanted { delete wanted[$2 $4]; folder = FILENAME; sub(/[^\\/]*$/, "", folder); print folder $2 }
' "$incoming/${MANIFEST}" ${STATE}/gen/*/${MANIFEST}) "$incoming" 2> /dev/null`
}
