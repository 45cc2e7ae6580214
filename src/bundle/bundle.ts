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
