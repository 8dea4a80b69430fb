/** How large a text is in its room, and how much of it is shown if it has none. */

/** The largest of the sizes, in steps from the least, at which it fits; the least if none does. */
export function fitting_size(least: number, most: number, step: number, fits: (size: number) => boolean): number {
  let [low, high] = [0, Math.max(0, Math.floor((most - least) / step))]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(least + middle * step)) low = middle
    else high = middle - 1
  }
  return least + low * step
}

/** A piece of a line, from its upper to its lower edge, as it lies on the page. */
export interface Piece {
  readonly top: number
  readonly bottom: number
}

/** The lines of these pieces: those beside each other are one. */
export function lines_of_pieces(pieces: readonly Piece[]): Piece[] {
  const lines: { top: number; bottom: number }[] = []
  for (const { top, bottom } of [...pieces].sort((a, b) => a.top - b.top)) {
    const last = lines.at(-1)
    // Letters of several sizes in a line don't begin at the same height.
    if (last !== undefined && top < (last.top + last.bottom) / 2) last.bottom = Math.max(last.bottom, bottom)
    else lines.push({ top, bottom })
  }
  return lines
}

export interface Cut {
  /** How high the part is that is shown. */
  readonly height: number
  /** Lines that aren't. */
  readonly hidden: number
}

/** As many whole lines as have room, the line that counts the others included; null if all have. */
export function cut(lines: readonly Piece[], height: number, count_height: number): Cut | null {
  const last = lines.at(-1)
  if (last === undefined || last.bottom <= height) return null
  const shown = lines.filter(({ bottom }) => bottom <= height - count_height)
  return { height: shown.at(-1)?.bottom ?? 0, hidden: lines.length - shown.length }
}
