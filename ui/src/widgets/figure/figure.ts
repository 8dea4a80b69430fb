/** A sparkline's path in a box of 100 by 100, broken where nothing is known. */
export interface Spark {
  readonly path: string
  /** The last point, if it is known. */
  readonly end: { readonly x: number; readonly y: number } | null
}

export function spark(trend: readonly (number | null)[]): Spark {
  const known = trend.filter((value) => value !== null)
  if (known.length === 0) return { path: '', end: null }
  const low = Math.min(...known)
  const high = Math.max(...known)
  const span = high - low
  const x = (at: number): number => (trend.length < 2 ? 100 : (at / (trend.length - 1)) * 100)
  // A trend that never moves is a line in the middle, not at the bottom: it says steady, not none.
  const y = (value: number): number => (span === 0 ? 50 : 96 - ((value - low) / span) * 92)
  let path = ''
  let drawing = false
  trend.forEach((value, at) => {
    if (value === null) {
      drawing = false
      return
    }
    path += `${drawing ? 'L' : 'M'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`
    drawing = true
  })
  const last = trend.at(-1) ?? null
  return { path, end: last === null ? null : { x: 100, y: y(last) } }
}
