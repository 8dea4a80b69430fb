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
/** Of letters with accents, dashes and whatever else the face may have; of other scripts, which the system's face has; and of marks. */
const OTHER_EM = 0.58
const SCRIPT_EM = 0.72
const ARABIC_EM = 0.85
/** The widest of them where no letter follows that they join. */
const ARABIC_WIDE = /[\u0633-\u0636]/
const ARABIC_WIDE_EM = 1.25
const NO_WIDTH = /\p{Mn}|\p{Cf}/u
const FOREIGN_EM = 1

/** Width in em. */
export function label_width_em(text: string): number {
  let em = 0
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    em += ASCII[code - 32] ?? ROOMY[char] ?? other_em(char, code)
  }
  return em
}

/** How many lines a text takes in so much room, broken between words, and within one only where that is longer than a line. */
export function lines_of(text: string, room_em: number): number {
  if (!(room_em > 0)) return Infinity
  const space_em = label_width_em(' ')
  let lines = 1
  let used_em = 0
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const word_em = label_width_em(word)
    const with_em = used_em === 0 ? word_em : used_em + space_em + word_em
    if (with_em <= room_em) {
      used_em = with_em
      continue
    }
    if (used_em > 0) lines += 1
    const whole = Math.ceil(word_em / room_em) - 1
    lines += whole
    used_em = word_em - whole * room_em
  }
  return lines
}

function other_em(char: string, code: number): number {
  if (NO_WIDTH.test(char)) return 0
  if (code >= 0x2e80) return FOREIGN_EM
  if (ARABIC_WIDE.test(char)) return ARABIC_WIDE_EM
  if (code >= 0x0600 && code < 0x0780) return ARABIC_EM
  return code >= 0x0370 && code < 0x1e00 ? SCRIPT_EM : OTHER_EM
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

/** The text in at most so many lines; of a longer one the middle is left out, and no more of it than must be. */
export function fitted(text: string, room_em: number, lines: number): string {
  if (lines_of(text, room_em) <= lines) return text
  let [fits, most] = [0, [...text].length]
  while (most - fits > 1) {
    const chars = Math.floor((fits + most) / 2)
    if (lines_of(middle_cut(text, chars), room_em) <= lines) fits = chars
    else most = chars
  }
  return middle_cut(text, Math.max(4, fits))
}
