/** The first of the lines that fit into so many rows, one row kept for the count if not all do. */
export function fitting<Line extends { readonly rows: number }>(lines: readonly Line[], rows: number): readonly Line[] {
  const all = lines.reduce((sum, line) => sum + line.rows, 0)
  let left = all <= rows ? rows : rows - 1
  const shown: Line[] = []
  for (const line of lines) {
    left -= line.rows
    if (left < 0) break
    shown.push(line)
  }
  return shown
}

/** How much larger the lines of a log are that has hardly any. */
export const SPACIOUS = 1.6
/** A panel of fewer rows has no room to give away. */
const ROWS_MIN = 8

/** Whether lines have room at that size in a panel that has so many rows of the usual one. */
export function spacious(lines: readonly { readonly rows: number }[], rows: number): boolean {
  return rows >= ROWS_MIN && lines.reduce((sum, line) => sum + line.rows, 0) <= Math.floor(rows / SPACIOUS)
}
