/** What several modes ask of the value of an option: nothing, or what is wrong with it as the end of a sentence. */

export function interfaceName(value: string): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/.test(value) ? undefined : 'must be the name of an interface'
}

export function path(value: string): string | undefined {
  return /^\/[A-Za-z0-9/._-]*$/.test(value) ? undefined : 'must be a path'
}
