const MILLISECONDS = { s: 1_000, m: 60_000, h: 3_600_000 } as const

/** Milliseconds; the schema lets through only a whole number with one of the three units. */
export function parseDuration(text: string): number {
  const unit = text.slice(-1) as keyof typeof MILLISECONDS
  return Number(text.slice(0, -1)) * MILLISECONDS[unit]
}
