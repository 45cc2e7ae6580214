import { expect, test } from 'vitest'
import { countEntries } from '../../src/bundle/entries.ts'

test('entries are what stands for something', () => {
  const files = [
    { name: 'addresses', text: '# a comment\npool 10.0.0.1-10.0.0.9 dev br0\naddress 10.0.0.1/32 dev br0\n' },
    { name: 'apply.sh', text: 'echo\n' },
    { name: 'iptables.restore', text: '*nat\n:A - [0:0]\n\n# x\n-A A -j ACCEPT\nCOMMIT\n' },
    { name: 'manifest.json', text: '{}\n' },
  ]
  expect(countEntries(files)).toBe(6)
})
