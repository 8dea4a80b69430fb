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
