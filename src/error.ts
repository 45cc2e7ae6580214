/** What a run can end with; one meaning each; the README has the table. */
export const EXIT = {
  ok: 0,
  bug: 1,
  changesPending: 2,
  someFailed: 3,
  stopped: 4,
  rolledBack: 5,
  unreachable: 6,
  unknown: 7,
  guarded: 8,
  stalePlan: 9,
  heldElsewhere: 10,
  usage: 64,
  badView: 65,
  noInput: 66,
  noSource: 69,
  noPermission: 77,
  badConfig: 78,
  interrupted: 130,
  terminated: 143,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/**
 * The user's situation, not a bug: `message` says what happened and where, `next` what to type.
 * Everything else that is thrown is a bug and ends with its stack and exit code 1.
 */
export class Refusal extends Error {
  readonly exitCode: ExitCode
  readonly next: string | undefined

  constructor(exitCode: ExitCode, message: string, next?: string) {
    super(message)
    this.name = 'Refusal'
    this.exitCode = exitCode
    this.next = next
  }
}

/** One node cannot be served as it is, the others can: the message says what is missing on it, or what the view lacks. */
export class Unfit extends Error {}
