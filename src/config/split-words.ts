/**
 * Where one word of `--limit` ends and the next begins. Inside brackets, braces and parentheses `,` and `:` belong to the
 * word, because ranges and regular expressions are written with them; names have none of these.
 */

export interface SignedText {
  readonly sign: '' | '&' | '!'
  readonly text: string
}

export function splitWords(text: string): readonly SignedText[] {
  const words: SignedText[] = []
  for (let rest = text; ; ) {
    const head = /^\s*[&!]?\s*/.exec(rest)?.[0] ?? ''
    const body = rest.slice(head.length)
    const length = wordLength(body)
    words.push({ sign: head.trim() as SignedText['sign'], text: body.slice(0, length).trim() })
    if (length === body.length) return words
    rest = body.slice(length + 1)
  }
}

/** A run has a colon after `@run`, and may have one more before `failed`. */
const RUN = /^@run:[^,:]*(?::failed(?=\s*(?:[,:]|$)))?/

function wordLength(text: string): number {
  let depth = 0
  for (let place = RUN.exec(text)?.[0].length ?? 0; place < text.length; place++) {
    const letter = text[place] ?? ''
    if (letter === '\\') place += 1
    else if ('[{('.includes(letter)) depth += 1
    else if (']})'.includes(letter)) depth -= 1
    else if (depth <= 0 && ',:'.includes(letter)) return place
  }
  return text.length
}
