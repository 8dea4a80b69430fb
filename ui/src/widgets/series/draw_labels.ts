/** What stands at the lines' ends: whose it is in the line's own colour, and its newest value in that of values. */
import { is_whole, type Known, newest_whole } from '../../core/buckets'
import { isolated } from '../../core/bidi'
import { DASHES, number_text } from '../../core/format'
import { fitted, label_width_em } from '../../core/width'
import { type EndLabel, fitting_ends, spread } from './axis'
import { font, type Pen, type PlotInput } from './input'

export interface End {
  readonly at: number
  readonly name: string
  /** The value as it is said; nothing if it is none of now: an old number beside the present would be taken for it (H1). */
  readonly said: string
  /** The value by which it stands; the line's last one if nothing is known of now. */
  readonly value: number
}

/** Between a name and its value, in em. */
const GAP_EM = 0.4
/** Between the plot and the labels. */
const OFF_EM = 0.4

export function line_ends({ series, look, stale }: PlotInput, known: Known, room_em: number): End[] {
  if (series === null) return []
  return series.lines.flatMap((line, at) => {
    const last = line.points.findLast(([start, value]) => value !== null && is_whole(start, known))?.[1] ?? null
    if (last === null) return []
    const value = newest_whole(line, known)
    const said = stale ? '' : value === null ? DASHES : number_text(value, look.decimals)
    const room = room_em - label_width_em(said) - GAP_EM
    const name = series.lines.length > 1 ? fitted(line.key, Math.max(2, room), 1) : ''
    return [{ at, name, said, value: value ?? last }]
  })
}

/** Room that the labels need beside the plot, in em. */
export function ends_em(ends: readonly End[]): number {
  const widest = (of: (end: End) => string): number => Math.max(0, ...ends.map((end) => label_width_em(of(end))))
  const [names, values] = [widest(({ name }) => name), widest(({ said }) => said)]
  return OFF_EM + names + (names > 0 && values > 0 ? GAP_EM : 0) + values
}

export function draw_labels(pen: Pen, all: readonly End[]): void {
  const { plot, colours, letters } = pen
  const { ctx, bbox } = plot
  const distance = letters * 1.05
  const middle = Math.min(ctx.canvas.height - letters / 2, Math.max(letters / 2, bbox.top + bbox.height / 2))
  // A plot that is lower than a line of text has one in its middle.
  const top = Math.min(middle, bbox.top + letters / 2)
  const bottom = Math.max(middle, bbox.top + bbox.height - letters / 2)
  const ends: (EndLabel & { readonly end: End })[] = all
    .map((end) => ({ at: end.at, text: end.name, y: plot.valToPos(end.value, 'y', true), end }))
    .sort((a, b) => a.y - b.y)
  const labels = fitting_ends(ends, Math.floor((bottom - top) / distance + 1.02))
  spread(labels, top, bottom, distance)
  const left = bbox.left + bbox.width + letters * OFF_EM
  const right = left + (ends_em(all) - OFF_EM) * letters
  ctx.save()
  ctx.textBaseline = 'middle'
  for (const label of labels) {
    const { at, y } = label
    // Where `+2 more` is wider than all names the number has to do.
    const is_wide = at === null && left + label_width_em(label.text) * letters > ctx.canvas.width
    const text = is_wide ? label.text.replace(/ .*/, '') : label.text
    const said = at === null ? '' : (ends.find((one) => one.at === at)?.end.said ?? '')
    ctx.textAlign = 'left'
    ctx.font = font(pen, 700)
    ctx.fillStyle = at === null ? colours.label : pen.ink(at)
    if (text !== '') ctx.fillText(isolated(text), left, y)
    if (said === '') continue
    // Under each other, as numbers are read.
    ctx.textAlign = 'right'
    ctx.fillStyle = said === DASHES ? colours.stale : colours.value
    ctx.fillText(said, right, y)
  }
  ctx.restore()
}
