/**
 * How wide words are in the face that labels are set in, so that room can be made for them without asking the page, which
 * would lay itself out for the answer. Advances of the shipped bold face, the wider of its two.
 */
const ADVANCES =
  '232632535164581632324548253629335151515151515151515127254550454577605657564948586127495548766160' +
  '5760555454575875565453263826394033475046504833504925254825744950505033453149456345454530253056'
/** Of the characters from space to tilde, in hundredths of an em. */
const ASCII: readonly number[] = (ADVANCES.match(/../g) ?? []).map((digits) => Number(digits) / 100)
const ROOMY: Record<string, number> = { '\u00a0': 0.23, '\u2009': 0.2, '’': 0.23, '…': 0.73, '—': 0.67 }
/** Of letters with accents, dashes and whatever else the face may have. */
const OTHER_EM = 0.58
const FOREIGN_EM = 1

/** Width in em. */
export function label_width_em(text: string): number {
  let em = 0
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    em += ASCII[code - 32] ?? ROOMY[char] ?? (code < 0x2e80 ? OTHER_EM : FOREIGN_EM)
  }
  return em
}

/** The text, or as much of it as fits with an ellipsis: what is cut says so. */
export function shortened(text: string, room_em: number): string {
  if (label_width_em(text) <= room_em) return text
  let kept = ''
  let em = label_width_em('…')
  for (const char of text) {
    em += label_width_em(char)
    if (em > room_em) break
    kept += char
  }
  return `${kept.trimEnd()}…`
}

/** A long text with its middle left out: how a sentence begins and how it ends both matter. */
export function middle_cut(text: string, chars_max: number): string {
  const chars = [...text]
  if (chars.length <= chars_max) return text
  const head = Math.ceil((chars_max - 3) / 2)
  const tail = chars_max - 3 - head
  return `${chars.slice(0, head).join('').trimEnd()} … ${chars
    .slice(chars.length - tail)
    .join('')
    .trimStart()}`
}
