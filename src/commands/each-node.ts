import pLimit from 'p-limit'

/** So many nodes at a time, where neither the command line nor a stage says how many. */
export const FORKS = 32

/** The same question to each node; the answers are in the order of the nodes. */
export async function eachNode<Node, Answer>(
  nodes: readonly Node[],
  { forks }: { readonly forks: number | undefined },
  ask: (node: Node) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const limit = pLimit(forks ?? FORKS)
  return await Promise.all(nodes.map((node) => limit(() => ask(node))))
}
