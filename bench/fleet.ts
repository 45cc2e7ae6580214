// npm run bench:fleet: the same large cloud on 50 real nodes of the lab: a first push to all of them and a push that
// finds nothing to do, with the default of 32 nodes at a time.

import { join } from 'node:path'
import { labMissing } from '../lab/lab-missing.ts'
import { packageRoot } from '../lab/start-agent.ts'
import { startLab } from '../lab/start-lab.ts'
import { viewFile } from '../lab/write-files.ts'
import { cpuTime } from './cpu-time.ts'
import { CLOUD, SIZE, viewOf } from './large-cloud.ts'
import { middle, printTable, seconds } from './print-table.ts'

interface Event {
  readonly type: string
  readonly outcome?: { readonly status: string; readonly milliseconds: number }
}

/** What standard error ends with is the CPU time of this shell and of the command. */
const TIMED = '"$@"; code=$?; times >&2; exit $code'

const missing = labMissing()
if (missing.length > 0) {
  process.stderr.write(`This machine cannot run it:\n  ${missing.join('\n  ')}\n`)
  process.exit(1)
}

const lab = await startLab({ nodes: SIZE.nodes, world: { instances: {}, groups: {} } })
try {
  await lab.clc.run(`cat > ${viewFile}`, { stdin: viewOf(CLOUD) })
  const rows = [await push('first push', 'converged'), await push('nothing changed', 'unchanged')]
  process.stdout.write(`${SIZE.nodes} nodes, ${SIZE.instances} instances, 100 on each; all on this machine; seconds\n`)
  printTable(['', 'command', 'CPU of the admin host', 'a node, median', 'slowest node'], rows)
} finally {
  await lab.stop()
}

async function push(name: string, expected: string): Promise<readonly string[]> {
  const began = performance.now()
  const argv = [process.execPath, join(packageRoot(), 'dist/cli.js'), 'push', 'push.yml', '--json']
  const { code, stdout, stderr } = await lab.admin.exec(['sh', '-c', TIMED, 'sh', ...argv], {
    cwd: lab.files.directory,
    timeout: 600_000,
  })
  const command = performance.now() - began
  const outcomes = stdout
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => (JSON.parse(line) as Event).outcome ?? [])
  const wrong = outcomes.filter(({ status }) => status !== expected)
  if (code !== 0 || wrong.length > 0) throw new Error(`${name}: ${code} ${JSON.stringify(wrong)}\n${stderr}`)
  const times = outcomes.map(({ milliseconds }) => milliseconds)
  return [name, seconds(command), seconds(cpuTime(stderr, 'all')), seconds(middle(times)), seconds(Math.max(...times))]
}
