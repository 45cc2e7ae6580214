import type { Artifact } from '../artifacts/artifact.ts'
import type { ConfDemands } from '../view/conf/demands.ts'
import type { View } from '../view/view.ts'

/** A network mode: which hosts it configures and what each should hold. Docs: src/modes/<mode>/README.md. */
export interface Mode {
  /** As the view spells it. */
  readonly name: string
  /** What it asks of an eucalyptus.conf that a view is made of; absent where every cloud of this mode publishes a view. */
  readonly conf?: ConfDemands
  /** What it asks of a host of each role; a role that is not here is none of its business. */
  readonly duties: Readonly<Partial<Record<Role, Duty>>>
  /** Why this mode cannot serve a view, a sentence each; an empty list when it can. */
  unfit(view: View): readonly string[]
  /** What one node should hold, in the mode's own terms; pure. Throws `Unfit` when this node cannot be served. */
  desired(view: View, node: Node, facts: Facts): object
  /** The same for a node that is to hold nothing any more, or only the mode's skeleton; pure. */
  remains(view: View | undefined, node: Node, facts: Facts): object
  /** What the mode's meter script needs to know of a node; absent where nothing is counted. */
  metered?(view: View, node: Pick<Node, 'address' | 'options'>): object
}

export interface Duty {
  /** Whether what such a host holds depends on what only it knows, besides its eucalyptus.conf. */
  readonly asksFacts: boolean
  readonly options: readonly OptionSpec[]
  /** Made in this order, swept in reverse; every node has `persistence` besides, as the last. */
  readonly artifacts: readonly Artifact[]
  /** What a playbook may have verified on a node, once a bundle is committed there. */
  readonly checks: readonly NodeCheck[]
  /**
   * What `doctor` looks at besides: shell with the options at hand that says `found ABOUT TEXT` of what it saw. It changes
   * nothing, and ends within seconds.
   */
  readonly symptoms?: string
}

/** Whoever asks has to have chosen a node that the mode serves. */
export function dutyOf({ name, duties }: Pick<Mode, 'name' | 'duties'>, role: Role): Duty {
  const duty = duties[role]
  if (!duty) throw new Error(`mode ${name} asks nothing of a ${role}`)
  return duty
}

/**
 * Does what a commit promised work? Shell in the bundle's apply script, with everything at hand that artifacts have but
 * $work. It changes nothing, and fails by its exit status when `complain` has said why. What it sets $asked to is what did
 * not answer when its time is over. A tool that not every node has it may use but not need: the bundle is good without.
 */
export interface NodeCheck {
  /** A word of playbooks that can stand in a shell function's name. */
  readonly name: string
  readonly shell: string
}

export type Role = 'nc' | 'cc' | 'clc'

/** `compatible` holds exactly the original's rules; `hardened` also what they lack, as the mode's README lists it. */
export type Profile = 'compatible' | 'hardened'

/** A host we configure, with its options complete and checked. */
export interface Node {
  readonly name: string
  /** As the view knows it. */
  readonly address: string
  readonly role: Role
  readonly profile: Profile
  /** Whether it makes its bundle anew when it is started, before any push; of no interest to a mode. */
  readonly persist: boolean
  readonly options: Options
}

/** Under the names that eucalyptus.conf gives them. */
export type Options = Readonly<Record<string, string>>

export interface OptionSpec {
  readonly name: string
  /** Without one the option must be set in the inventory or on the node. */
  readonly fallback?: string
  /** What is wrong with a value, as the end of a sentence: "must be Y or N". */
  check(value: string): string | undefined
}

/** What only the node knows. */
export interface Facts {
  readonly interfaces: Readonly<Record<string, Interface>>
  /** The version of Eucalyptus that is installed there. */
  readonly eucalyptusVersion?: string
}

export interface Interface {
  readonly mac: string
  /** With prefix length, as the kernel shows them. */
  readonly addresses: readonly string[]
}
