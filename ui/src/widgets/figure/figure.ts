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

/** Unit and ≥ are half as large as the digits, and no smaller than can be read. */
const SMALL_SHARE = 0.5
/** As the style sheet's smallest. */
export const SMALL_REM = 2.5

export interface FigureRoom {
  readonly width: number
  readonly height: number
  /** Widths of the digits and of the mark, in em of the digits. */
  readonly digits_em: number
  readonly mark_em: number
  /** Width of what is small, in em of its own size. */
  readonly small_em: number
  /** The smallest size that can be read. */
  readonly small_px: number
}

/** The largest size at which a number fits into its box, and that of its unit. */
export function figure_size(room: FigureRoom): { readonly figure_px: number; readonly small_px: number } {
  const em = room.digits_em + room.mark_em
  const together = Math.min(0.92 * room.height, room.width / (em + room.small_em * SMALL_SHARE))
  if (together * SMALL_SHARE >= room.small_px) return { figure_px: together, small_px: together * SMALL_SHARE }
  const beside = (room.width - room.small_em * room.small_px) / em
  return { figure_px: Math.max(0, Math.min(0.92 * room.height, beside)), small_px: room.small_px }
}
