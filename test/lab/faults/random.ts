/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** One of them. */
  readonly oneOf: <T>(these: readonly T[]) => T
  /** True this often. */
  readonly chance: (part: number) => boolean
}

export function randomFrom(seed: number): Random {
  let state = seed
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    oneOf: (these) => {
      const [one] = these.slice(Math.floor(next() * these.length))
      if (one === undefined) throw new Error('there is nothing to choose from')
      return one
    },
    chance: (part) => next() < part,
  }
}
