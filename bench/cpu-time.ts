/** Milliseconds, user and system, of what a shell's `times` prints: its own, or only those of what it has waited for. */
export function cpuTime(times: string, whose: 'all' | 'children'): number {
  const lines = times.trim().split('\n').slice(-2)
  const parts = (whose === 'all' ? lines.join(' ') : (lines[1] ?? '')).matchAll(/(\d+)m([\d.]+)s/g)
  return [...parts].reduce((sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000, 0)
}
