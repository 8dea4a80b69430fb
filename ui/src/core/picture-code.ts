/**
 * The version that is shown as a row of blocks, for the backend to read off the screen: a page that answers and yet leaves an old
 * picture there is found by nothing else.
 *
 * A light and a dark block to compare with, 24 bits of the version, then 8 bits of check, the highest bit first.
 */
export const PICTURE_CODE_BLOCKS = 34

/** Whether each block is light, from the left. */
export function picture_code(version: number): readonly boolean[] {
  const code = version % 2 ** 24
  const check = (code >> 16) ^ ((code >> 8) & 255) ^ (code & 255) ^ 0xa5
  const word = ((code << 8) | check) >>> 0
  return [true, false, ...Array.from({ length: 32 }, (_, block) => ((word >>> (31 - block)) & 1) === 1)]
}
