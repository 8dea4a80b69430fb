/** The tokens as canvases need them, and the hatch that says "nobody knows". */

export interface Colours {
  readonly value: string
  readonly label: string
  readonly stale: string
  readonly rule: string
  readonly panel: string
  readonly page: string
  readonly alarm: string
  readonly alarm_ink: string
  readonly alarm_text: string
  readonly warning: string
  readonly warning_text: string
  readonly quality: string
  readonly band_warning: string
  readonly band_alarm: string
  readonly sea: string
  readonly land: string
  readonly coast: string
  readonly border: string
  readonly graticule: string
  readonly lines: readonly string[]
}

export function colours(): Colours {
  const style = getComputedStyle(document.documentElement)
  const token = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    value: token('value'),
    label: token('label'),
    stale: token('stale'),
    rule: token('rule'),
    panel: token('panel'),
    page: token('page'),
    alarm: token('alarm'),
    alarm_ink: token('alarm-ink'),
    alarm_text: token('alarm-text'),
    warning: token('warning'),
    warning_text: token('warning-text'),
    quality: token('quality'),
    band_warning: token('band-warning'),
    band_alarm: token('band-alarm'),
    sea: token('sea'),
    land: token('land'),
    coast: token('coast'),
    border: token('border'),
    graticule: token('graticule'),
    lines: [1, 2, 3, 4, 5, 6].map((at) => token(`line-${String(at)}`)),
  }
}

/** So much of a colour and the rest of another, both as `#rrggbb`. */
export function mixed(colour: string, other: string, share: number): string {
  const channel = (of: string, at: number): number => Number.parseInt(of.slice(1 + 2 * at, 3 + 2 * at), 16)
  const parts = [0, 1, 2].map((at) => Math.round(channel(colour, at) * share + channel(other, at) * (1 - share)))
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}

/** A diagonal hatch as a fill; `rem_px` are the device pixels of one rem. */
export function hatch(ctx: CanvasRenderingContext2D, colour: string, rem_px: number): CanvasPattern | string {
  const size = Math.max(4, Math.round(rem_px * 1.2))
  const tile = document.createElement('canvas')
  tile.width = tile.height = size
  const pen = tile.getContext('2d')
  if (pen === null) return colour
  pen.strokeStyle = colour
  pen.globalAlpha = 0.55
  pen.lineWidth = Math.max(1, rem_px * 0.22)
  pen.beginPath()
  for (const shift of [-size, 0, size]) {
    pen.moveTo(shift, size)
    pen.lineTo(shift + size, 0)
  }
  pen.stroke()
  return ctx.createPattern(tile, 'repeat') ?? colour
}
