import { createTwoFilesPatch } from 'diff'

interface Files {
  readonly files: readonly { readonly name: string; readonly text: string }[]
}

/** What a profile adds to the files that a person reviews: nothing when it adds nothing. */
export function profileDiff(compatible: Files, chosen: Files): string {
  return chosen.files
    .filter(({ name }) => name !== 'apply.sh' && name !== 'manifest.json')
    .map(({ name, text }) => {
      const before = compatible.files.find((file) => file.name === name)?.text ?? ''
      if (before === text) return ''
      return createTwoFilesPatch(`compatible/${name}`, `hardened/${name}`, before, text, undefined, undefined, {
        context: 1,
      })
    })
    .join('')
}
