import type { Reporter, TestModule } from 'vitest/node'

/** Ends a run with the one line that a build server can read: `N passed, N failed, N skipped`. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1
      // A file that does not even load has no tests of its own to fail.
      if (module.state() === 'failed' && module.errors().length > 0) count.failed += 1
    }
    console.log(`\n${count.passed} passed, ${count.failed + count.pending} failed, ${count.skipped} skipped`)
  }
}
