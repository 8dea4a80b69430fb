/**
 * The newest event's time as a strip of black and white blocks, to be read off the screen by a program: how old an event is
 * when its pixels change is what no page can measure of itself.
 *
 * 24 bits of the time in quarter milliseconds, then 8 bits of check, the highest bit first.
 */
export const GLASS_CODE_BLOCKS = 32

/** Whether each block is white, from the left. */
export function glass_code(event_ms: number): readonly boolean[] {
  const code = Math.floor(event_ms * 4) % 2 ** 24
  const check = (code >> 16) ^ ((code >> 8) & 255) ^ (code & 255) ^ 0xa5
  const word = ((code << 8) | check) >>> 0
  return Array.from({ length: GLASS_CODE_BLOCKS }, (_, block) => ((word >>> (31 - block)) & 1) === 1)
}
