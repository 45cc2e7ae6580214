// Where the CPU time of some work goes, by function: V8's own sampling profiler, in this process.

import { Session } from 'node:inspector/promises'

export interface Share {
  /** A function and where it is, or what V8 itself does. */
  readonly where: string
  /** Milliseconds in it, without what it calls. */
  readonly self: number
}

/** The largest first. */
export async function profile(work: () => void): Promise<readonly Share[]> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 500 })
  await session.post('Profiler.start')
  work()
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame.functionName, callFrame.url)]))
  const spent = new Map<string, number>()
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const where = names.get(id) ?? ''
    spent.set(where, (spent.get(where) ?? 0) + (profile.timeDeltas?.[index] ?? 0) / 1_000)
  }
  return [...spent].map(([where, self]) => ({ where, self })).sort((a, b) => b.self - a.self)
}

function nameOf(name: string, url: string): string {
  const file = url.replace(/^.*\/(?:dist\/bench|dist|node_modules)\//, '').replace(/\.js$/, '')
  return file === '' ? name : `${name || '(anonymous)'}, ${file}`
}
