// Which faults are tried at which steps.

import { type Fault, onlyReads, type Step, type Trap } from './tripwire.ts'

/** What happens to one node in one push. */
export type Combination = readonly Trap[]

/** The steps of an undisturbed push, and of going back when the script was killed at the last step of a commit. */
export interface Steps {
  readonly forward: readonly Step[]
  /** Everything is made there, and nothing is written down of it. */
  readonly last: Step
  /** When it is asked to confirm. */
  readonly back: readonly Step[]
  /** When the window ends. */
  readonly expiring: readonly Step[]
}

const FAULTS: readonly Fault[] = ['killed', 'cut', 'gone', 'killed and gone', 'fails', 'disk full']

/** Every fault at every step. */
export function everything({ forward, last, back, expiring }: Steps): readonly Combination[] {
  return [
    ...forward.flatMap((at) => faultsAt(at).map((fault) => [{ at, fault }])),
    ...back.flatMap((at) => faultsAt(at).map((fault) => [{ at: last, fault: 'killed' } as const, { at, fault }])),
    ...killable(expiring).map((at) => [
      { at: last, fault: 'killed and gone' } as const,
      { at, fault: 'killed' } as const,
    ]),
  ]
}

/** Every step killed; of the rest each seventh, which is another fault at each step that it comes to. */
export function selection(steps: Steps): readonly Combination[] {
  const all = everything(steps)
  const isKill = (combination: Combination) => combination.length === 1 && combination[0]?.fault === 'killed'
  return [...all.filter(isKill), ...all.filter((one) => !isKill(one)).filter((_, index) => index % 7 === 0)]
}

function faultsAt(step: Step): readonly Fault[] {
  return onlyReads(step) ? ['fails'] : FAULTS
}

function killable(steps: readonly Step[]): readonly Step[] {
  return steps.filter((step) => !onlyReads(step))
}

export function nameOf(combination: Combination): string {
  return combination.map(({ at, fault }) => `${at.verb} ${at.number} (${shortened(at.call)}) ${fault}`).join(', then ')
}

function shortened(call: string): string {
  return call.replaceAll(/[0-9a-f]{64}/g, '…').slice(0, 70)
}
