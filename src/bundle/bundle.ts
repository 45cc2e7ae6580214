/** The rendered files of one node, named by their digest. */
export interface Bundle {
  /** The node's name in the inventory. */
  readonly node: string
  /** SHA-256 of `manifest.json`, which lists every other file with its own. */
  readonly digest: string
  /** Sorted by name; each is text that ends with a newline. */
  readonly files: readonly BundleFile[]
}

export interface BundleFile {
  readonly name: string
  readonly text: string
}

export const MANIFEST = 'manifest.json'
export const SCRIPT = 'apply.sh'

/**
 * A bundle of which the digest is known: its files are held as long as somebody works with them, and made again for who comes
 * later. Nodes wait for one another, and what all of them are to hold is large.
 */
export function heldLightly(known: Omit<Bundle, 'files'> & Partial<Bundle>, make: () => Bundle): Bundle {
  const { node, digest } = known
  let held = known.files && new WeakRef(known.files)
  return {
    node,
    digest,
    get files() {
      const files = held?.deref() ?? make().files
      held = new WeakRef(files)
      return files
    },
  }
}
