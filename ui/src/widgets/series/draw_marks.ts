/** What happened besides: a flag at each instant, and the words of as many as have room. */
import type { MarksValue } from '../../generated/frame'
import { isolated } from '../../core/bidi'
import { label_width_em, shortened } from '../../core/width'
import { font, type Pen } from './input'

/** A flag's words have at least so much room, or the flag is counted with its newer neighbour. In em. */
const LEAST_EM = 4.2
const GAP_EM = 0.5
/** The least at the right edge: `… +24`. */
const COUNT_EM = 2.7

/** Words in the strip above the plot, from `at_em` on, both as parts of its letters' size. */
export interface FlagWords {
  readonly at_em: number
  readonly text: string
}

/**
 * The words of flags at these places, oldest first, in a strip that is so wide. Where two are too near to each other the newer one has its
 * words, and says how many older ones have none; `more` are those that are left out before all of them.
 */
export function flag_words(
  flags: readonly { readonly at_em: number; readonly label: string }[],
  more: number,
  width_em: number,
): FlagWords[] {
  const groups: { at_em: number; label: string; others: number }[] = []
  for (const flag of flags.toReversed()) {
    const newer = groups.at(-1)
    // Words at the right edge begin before their flag.
    const newer_em = Math.min(newer?.at_em ?? Infinity, width_em - COUNT_EM)
    if (newer !== undefined && newer_em - flag.at_em < LEAST_EM) newer.others += 1
    else groups.push({ ...flag, others: 0 })
  }
  if (more > 0) {
    const oldest = groups.at(-1)
    if (oldest !== undefined && oldest.at_em < LEAST_EM) oldest.others += more
    else groups.push({ at_em: 0, label: '', others: more })
  }
  let right_em = width_em
  return groups.map(({ at_em, label, others }, at): FlagWords => {
    const count = others === 0 ? '' : `${label === '' ? '' : ' '}+${String(others)}`
    const count_em = label_width_em(count)
    // One at the right edge reaches back over its own flag, as far as its older neighbour can spare.
    const older = groups[at + 1]
    const least_em = older === undefined ? 0 : Math.min(at_em, older.at_em + LEAST_EM)
    const from_em = Math.max(least_em, Math.min(at_em, right_em - label_width_em(label) - count_em))
    const room_em = right_em - from_em
    right_em = from_em - GAP_EM
    const text = shortened(label, room_em - count_em) + count
    // A plot may be narrower than one word: then how many there are has to do, or the flags alone.
    const said = [text, `+${String(others + (label === '' ? 0 : 1))}`].find(
      (words) => label_width_em(words) <= room_em + 1e-9,
    )
    return { at_em: from_em, text: said ?? '' }
  })
}

/** Lines through the plot, each with its pennant; the words if they have a strip above it. */
export function draw_marks(pen: Pen, marks: MarksValue, has_words: boolean): void {
  const { plot, colours, rem, letters } = pen
  const { ctx, bbox } = plot
  const [left, right] = [bbox.left, bbox.left + bbox.width]
  const flags = marks.list
    .map(({ at_ms, label }) => ({ x: plot.valToPos(at_ms / 1000, 'x', true), label }))
    .filter(({ x }) => x >= left && x <= right)
  ctx.save()
  ctx.strokeStyle = ctx.fillStyle = colours.label
  ctx.lineWidth = Math.max(1, rem * 0.16)
  ctx.setLineDash([rem * 0.3, rem * 0.3])
  const size = letters * 0.5
  for (const { x } of flags) {
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x + size * 0.8, bbox.top + size * 0.6)
    ctx.lineTo(x, bbox.top + size * 1.2)
    ctx.fill()
  }
  if (has_words) {
    ctx.textBaseline = 'middle'
    ctx.textAlign = 'left'
    ctx.font = font(pen, 400)
    const placed = flags.map(({ x, label }) => ({ at_em: (x - left) / letters, label }))
    // The strip lies above what stands at the lines' ends, but beside the highest number of an axis at the right.
    const end = pen.axes.length > 1 ? right : ctx.canvas.width
    for (const { at_em, text } of flag_words(placed, marks.more, (end - left) / letters)) {
      if (text !== '') ctx.fillText(isolated(text), left + at_em * letters, bbox.top - letters * 0.65)
    }
  }
  ctx.restore()
}
