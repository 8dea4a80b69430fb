/** A canvas made as large as its room, and empty; null where there is none to draw on. `width` and `height` are CSS pixels. */
export function emptied(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const [wide, high] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)]
  if (wide === 0 || high === 0) return null
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide
    canvas.height = high
  }
  const ctx = canvas.getContext('2d')
  ctx?.clearRect(0, 0, wide, high)
  return ctx
}

export const FACE = '"Roboto Condensed"'
