/** Somebody else's text, safe on a terminal, and short. */
export function quote(text: string): string {
  const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text
  return JSON.stringify(shown).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
