/** `edgepush retry`: a push to exactly those nodes of an earlier one that came to no good end. */

import { EXIT, type ExitCode, Refusal } from '../error.ts'
import { historyOf } from '../record/history.ts'
import type { Context } from './context.ts'
import { configure } from './gather.ts'
import { type PushFlags, push } from './push.ts'

/** The run comes first where both are typed; what does not look like a run is a playbook. */
export async function retry(words: readonly string[], flags: PushFlags, context: Context): Promise<ExitCode> {
  const [first, second] = words
  const [id, playbook] = first !== undefined && IS_RUN.test(first) ? [first, second] : [undefined, first]
  if (id === undefined && second !== undefined) throw new Refusal(EXIT.usage, `"${first}" is no run`, EXAMPLE)

  const { inventory } = configure(flags, playbook, context)
  const run = findPush(id, inventory.cloud, context)
  if (run.failed.length === 0) {
    context.terminal.err(`run ${run.id}: every node came to a good end; there is nothing to retry\n`)
    return EXIT.ok
  }
  const failed = `@run:${run.id}:failed`
  const limit = flags.limit === undefined ? failed : `${flags.limit}:&${failed}`
  return await push(playbook, { ...flags, limit }, context)
}

const IS_RUN = /^\d{8}T\d{6}Z-[0-9a-f]+$/
const EXAMPLE = 'edgepush retry 20260101T120000Z-0a1b2c push.yml'

/** The last one, where none is named. */
function findPush(id: string | undefined, cloud: string, { stateFolder }: Context) {
  const history = historyOf(stateFolder, cloud)
  const runs = history.runs()
  const name = id ?? runs.findLast((one) => history.command(one) === 'push')
  const run = name !== undefined && runs.includes(name) ? history.run(name) : undefined
  if (run?.command === 'push') return run
  if (run) {
    throw new Refusal(
      EXIT.usage,
      `run ${run.id} was no push: ${run.command}`,
      `edgepush ${run.command} -l @run:${run.id}:failed`,
    )
  }
  const problem = id === undefined ? 'no push is in the record' : `the record of ${cloud} has no run "${id}"`
  throw new Refusal(EXIT.usage, problem, 'edgepush push')
}
