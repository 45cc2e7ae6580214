/** By path below `templates/`. */
export type Templates = Readonly<Record<string, string>>

/** A file that is nothing but `{{> managed/dhcpd.hbs}}` is that of another mode. */
const ANOTHER = /^\{\{> (\S+)\}\}\s*$/

export function templateAt(templates: Templates, path: string): string {
  const text = templates[path]
  if (text === undefined) throw new Error(`templates/${path} is missing`)
  const [, another] = ANOTHER.exec(text) ?? []
  return another === undefined ? text : templateAt(templates, another)
}
