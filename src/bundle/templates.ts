/** By path below `templates/`. */
export type Templates = Readonly<Record<string, string>>

export function templateAt(templates: Templates, path: string): string {
  const text = templates[path]
  if (text === undefined) throw new Error(`templates/${path} is missing`)
  return text
}
