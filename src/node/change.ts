import { type Answer, said } from './exchange.ts'

/** What a commit made different in one artifact, in lines as the node shows it. */
export interface Change {
  readonly artifact: string
  readonly added: number
  readonly removed: number
  /** Of how many things, such as sets or chains, these lines are. */
  readonly things: number
}

/** `artifact added removed things`. */
export function changesOf(answer: Answer): readonly Change[] {
  return said(answer, 'changed').map((text) => {
    const [artifact = '', added, removed, things] = text.split(' ')
    return { artifact, added: Number(added), removed: Number(removed), things: Number(things) }
  })
}
