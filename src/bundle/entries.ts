import { type BundleFile, MANIFEST, SCRIPT } from './bundle.ts'

/** Lines of a bundle that stand for something: rules, members of sets, addresses, hosts. */
export function countEntries(files: readonly BundleFile[]): number {
  return files
    .filter(({ name }) => name !== SCRIPT && name !== MANIFEST)
    .reduce((sum, { text }) => sum + countLines(text), 0)
}

/** Without taking them apart: a bundle may have ten thousands, and there are thousands of bundles. */
function countLines(text: string): number {
  let count = 0
  for (let begin = 0; begin < text.length; ) {
    const found = text.indexOf('\n', begin)
    const end = found < 0 ? text.length : found
    if (text[begin] !== '#' && !isBlank(text, begin, end)) count += 1
    begin = end + 1
  }
  return count
}

function isBlank(text: string, begin: number, end: number): boolean {
  for (let at = begin; at < end; at += 1) if (text.charCodeAt(at) > SPACE) return false
  return true
}

const SPACE = 0x20
