import { defineConfig } from 'vitest/config'

/** Those in a guest keep both processors busy for minutes: they come last, and alone. */
const GUEST = 'test/managed/vlan.test.ts'

export default defineConfig({
  test: {
    globalSetup: ['./test/build.ts'],
    reporters: ['default', './test/count-reporter.ts'],
    maxWorkers: 2,
    projects: [
      project('here', { include: ['test/**/*.test.ts'], exclude: [GUEST] }, 0),
      project('guest', { include: [GUEST] }, 1),
    ],
  },
})

function project(name: string, files: { readonly include: string[]; readonly exclude?: string[] }, groupOrder: number) {
  return { test: { name, ...files, testTimeout: 180_000, hookTimeout: 300_000, sequence: { groupOrder } } }
}
