// npm run demo: a cloud on this machine, two pushes to its nodes, and the proof by real packets that they now let
// through what the security groups say and nothing else. The exit status is 0 only if all of it is as it should be.
//
// Invariant: the lab ends before this process does, also when that is interrupted; a second signal ends it at once,
// and then the kernel takes the lab down (open-host.ts).

import { once } from 'node:events'
import { constants } from 'node:os'
import { parseArgs } from 'node:util'
import { keepRunning } from './demo/keep-running.ts'
import { renderSample } from './demo/render-sample.ts'
import { openScreen } from './demo/screen.ts'
import { type ConfiguredMode, showConfigured } from './demo/show-configured.ts'
import { showLab } from './demo/show-lab.ts'
import { labMissing } from './lab-missing.ts'
import { LAB_MODES } from './plan-managed.ts'
import { startLab } from './start-lab.ts'

const MODES = [...LAB_MODES, 'STATIC', 'SYSTEM'] as const
type DemoMode = (typeof MODES)[number]

const usage = `npm run demo [-- --keep] [--mode NAME]

  --keep    leave the lab running until Ctrl-C, and say how to look around in it
  --mode    ${MODES.join(', ')}; the first if none is said. The last two have no --keep
`

async function runDemo(keep: boolean, mode: DemoMode): Promise<number> {
  const interrupted = interruption()
  const screen = openScreen(interrupted)
  const missing = labMissing()
  if (missing.length > 0) return renderSample(missing, screen)

  screen.busy('starting the lab')
  const began = performance.now()
  const lab = await startLab(isConfigured(mode) ? { world: { instances: {}, groups: {} } } : { mode })
  try {
    const shown = isConfigured(mode) ? showConfigured(lab, mode, screen) : showLab(lab, screen, began)
    const isRight = await Promise.race([shown, abortOf(interrupted)])
    if (isRight === undefined) return interrupted.reason
    if (keep) {
      await keepRunning(lab, screen)
      await abortOf(interrupted)
    }
    return isRight ? 0 : 1
  } finally {
    screen.busy('taking the lab down')
    await lab.stop()
    screen.busy('')
  }
}

/** A cloud that publishes no view. */
function isConfigured(mode: DemoMode): mode is ConfiguredMode {
  return mode === 'STATIC' || mode === 'SYSTEM'
}

/** Aborted by the first signal, with the exit status that it stands for. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const status = 128 + constants.signals[signal]
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(status)
      controller.abort(status)
    })
  }
  return controller.signal
}

async function abortOf(signal: AbortSignal): Promise<undefined> {
  if (!signal.aborted) await once(signal, 'abort')
}

function readFlags() {
  const options = {
    keep: { type: 'boolean', default: false },
    mode: { type: 'string', default: 'EDGE' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const
  try {
    const { mode: said, ...flags } = parseArgs({ options }).values
    const mode = MODES.find((known) => known === said)
    if (!mode) throw new Error(`there is no mode ${said}; there are ${MODES.join(', ')}`)
    if (flags.keep && isConfigured(mode)) throw new Error(`${mode} is shown and not kept`)
    return { ...flags, mode }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${usage}`)
    process.exit(64)
  }
}

const { keep, help, mode } = readFlags()
if (help) process.stdout.write(usage)
// Not by exitCode: after an interruption there are questions under way to machines that are gone.
else process.exit(await runDemo(keep, mode))
