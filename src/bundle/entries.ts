import { type BundleFile, MANIFEST, SCRIPT } from './bundle.ts'

/** Lines of a bundle that stand for something: rules, members of sets, addresses, hosts. */
export function countEntries(files: readonly BundleFile[]): number {
  const lines = files.filter(({ name }) => name !== SCRIPT && name !== MANIFEST).flatMap(({ text }) => text.split('\n'))
  return lines.filter((line) => line.trim() !== '' && !line.startsWith('#')).length
}
