/**
 * The version that is shown as a row of blocks, for the backend to read off the screen: a page that answers and yet leaves an old
 * picture there is found by nothing else.
 *
 * A light and a dark block to compare with, 24 bits of the version, then 16 bits of check, the highest bit first.
 */
export const PICTURE_CODE_BLOCKS = 42

/** Whether each block is light, from the left. */
export function picture_code(version: number): readonly boolean[] {
  const code = version % 2 ** 24
  const check = ((code * 0x9e37) & 0xffff) ^ ((code >> 8) & 0xffff) ^ 0xa5a5
  const bits = (word: number, count: number) =>
    Array.from({ length: count }, (_, block) => ((word >>> (count - 1 - block)) & 1) === 1)
  return [true, false, ...bits(code, 24), ...bits(check, 16)]
}
