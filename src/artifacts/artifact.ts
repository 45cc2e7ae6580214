/**
 * One kind of thing a node holds: how it is checked, made, shown and swept, as shell.
 *
 * The shell runs inside the bundle's apply script (templates/node/apply.sh.hbs), as root, with these at hand:
 *   $want       folder with the files to converge on: this bundle, or what was there before when going back; an
 *               artifact whose file is not in it is not wanted at all
 *   $scope      folders whose files say what may be ours besides: this bundle, the last confirmed one
 *   $changes    names of the artifacts that are not as they should be: only their steps run
 *   $blocked    file that takes "<artifact> <name>..." of what is not wanted but somebody else uses, for show to leave out
 *   $work       scratch folder, gone afterwards
 *   $rehearsing not empty in the empty network namespace where the bundle is rehearsed
 *   $VNET_...   the node's options under their own names
 *   alike NAME TEXT TEXT  says whether two texts of that artifact differ in nothing that has a meaning
 *   stand_in NAME  makes an interface of that name, in the namespace of a rehearsal
 *   note TEXT   tells the operator; complain TEXT says why a step fails
 *
 * A process that outlives the script must be started with descriptors 3 (the reply) and 9 (the lock) closed.
 *
 * Every piece is harmless to repeat, touches only what is ours, and fails by its exit status.
 */
export interface Artifact {
  /** Also the name of its template. A word that can stand in a shell function's name. */
  readonly name: string
  /** What the bundle calls its file. */
  readonly file: string
  /** Commands that must exist on the node. */
  readonly needs: readonly string[]
  /** Shell functions that its pieces share; their names begin with the artifact's. */
  readonly functions: string
  /** Refuses a node that cannot carry it; changes nothing. */
  readonly check: string
  /** Makes in the empty namespace of a rehearsal what the steps take for granted on a node. */
  readonly world: string
  readonly steps: Readonly<Partial<Record<Phase, string>>>
  /** What of it must go before the original daemon takes the node back; everything else it finds and goes on with. */
  readonly leave: string
  /** Removes what a script that died has left half written; absent where it leaves nothing. */
  readonly tidy?: string
  /** Prints what of ours is there: canonical, without counters, in the form of its own file, so that it can be put back. */
  readonly show: string
  /**
   * A filter from what `show` prints to a normal form, the same for two texts that differ only where order has no meaning.
   * It decides whether a node holds something; it is never written. Absent: any difference is one.
   */
  readonly alike?: string
}

/**
 * What there is to do is written down first, which changes nothing (prepare). Then order is safety: sets whose growth
 * restricts grow and sets whose growth permits shrink (tighten); the filter table changes in one commit (switch); then
 * permitting sets grow and restricting ones shrink (loosen); last goes what is no longer wanted (sweep). Whatever prefix of
 * that has run, nothing passes that both the old and the new policy deny. Where this order would lose what both allow, sets
 * are changed behind copies: docs/decisions/0010-never-a-mix.md.
 */
export type Phase = 'prepare' | 'tighten' | 'switch' | 'loosen' | 'sweep'

export const PHASES: readonly Phase[] = ['prepare', 'tighten', 'switch', 'loosen', 'sweep']

/** Shell and awk programs stand in the source as they stand on the node: no escapes but those of shell and awk. */
export const sh = String.raw
