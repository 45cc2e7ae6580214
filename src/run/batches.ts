/** How a stage is cut into batches: sizes one after the other, the last one again until nothing is left. */

/** A share is one of the whole stage. */
export type Size = { readonly nodes: number } | { readonly percent: number }

export function batchesOf<T>(items: readonly T[], sizes: readonly Size[]): readonly (readonly T[])[] {
  const batches: (readonly T[])[] = []
  let begun = 0
  while (begun < items.length) {
    const size = sizes[Math.min(batches.length, sizes.length - 1)]
    const count = size ? nodesOf(size, items.length) : items.length
    batches.push(items.slice(begun, begun + count))
    begun += count
  }
  return batches
}

/** A share is one of the whole stage, and at least one node: no batch is empty. */
function nodesOf(size: Size, all: number): number {
  return 'nodes' in size ? size.nodes : Math.max(1, Math.floor((all * size.percent) / 100))
}
