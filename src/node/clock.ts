/**
 * When something happened on a node, by our own clock.
 *
 * Its clock is ahead of ours by a difference that two readings bound: what it read after we had asked, and what it read before
 * we heard of it. Nothing is assumed of how long the way takes in either direction. Ours is one that nobody sets, so the
 * difference itself means nothing. Milliseconds.
 */

export interface ClockReading {
  readonly node: number
  readonly ours: number
}

/** Between these two, by our clock. */
export interface Span {
  readonly earliest: number
  readonly latest: number
}

export function readClock(text: string | undefined, ours: number): ClockReading | undefined {
  const seconds = text === undefined || text === '' ? Number.NaN : Number(text)
  return Number.isFinite(seconds) ? { node: seconds * 1_000, ours } : undefined
}

/** Undefined where the readings contradict each other: somebody has set the node's clock in between. */
export function timeOf(
  node: number,
  { asked, heard }: { readonly asked: ClockReading; readonly heard: ClockReading },
): Span | undefined {
  const aheadAtMost = asked.node - asked.ours
  const aheadAtLeast = heard.node - heard.ours
  if (aheadAtLeast > aheadAtMost) return undefined
  return { earliest: node - aheadAtMost, latest: node - aheadAtLeast }
}

/** What both say; undefined where they contradict each other. */
export function narrow(a: Span, b: Span): Span | undefined {
  const both = { earliest: Math.max(a.earliest, b.earliest), latest: Math.min(a.latest, b.latest) }
  return both.earliest > both.latest ? undefined : both
}
