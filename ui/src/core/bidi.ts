/**
 * Text from data may run from right to left, and what stands beside it must not be turned with it. In the document elements see to
 * that (`dir="auto"`, `bdi`); on a canvas and within a sentence the text is put between isolates.
 */
const FIRST_STRONG = '\u2068'
const END = '\u2069'
/** Hebrew, Arabic and their kin, with their presentation forms, and the marks that turn a text. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\u200f\u202b\u202e\u2067\ufb1d-\ufdff\ufe70-\ufefc]|[\ud802-\ud803\ud83a-\ud83b]/

export function isolated(text: string): string {
  return RIGHT_TO_LEFT.test(text) ? FIRST_STRONG + text + END : text
}
