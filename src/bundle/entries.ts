import { type BundleFile, MANIFEST, SCRIPT } from './bundle.ts'

/** Lines of a bundle that stand for something: rules, members of sets, addresses, hosts. */
export function countEntries(files: readonly BundleFile[]): number {
  return files
    .filter(({ name }) => name !== SCRIPT && name !== MANIFEST)
    .reduce((sum, { text }) => sum + (text.match(/^(?!#)[^\n]*[^\s]/gm)?.length ?? 0), 0)
}
