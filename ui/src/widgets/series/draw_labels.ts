/** What stands at the lines' ends: whose it is in the line's own colour, and its newest value in that of values. */
import { is_whole, type Known, newest_whole } from '../../core/buckets'
import { isolated } from '../../core/bidi'
import { state_of } from '../../core/bands'
import { DASHES } from '../../core/format'
import { fitted, label_width_em } from '../../core/width'
import { grouped } from '../../words/numerals'
import type { State } from '../../generated/frame'
import { draw_state_mark, state_ink, state_word } from '../state_mark'
import { type Axis, axes_of, axis_of, VALUE_FORMS } from './axes'
import { type EndLabel, fitting_ends, spread } from './axis'
import { font, type Pen, type PlotInput } from './input'

export interface End {
  readonly at: number
  readonly name: string
  /** Whether a dot of the line's colour stands in place of its name, which has no room. */
  readonly dotted: boolean
  /** The value as it is said; nothing if it is none of now: an old number beside the present would be taken for it (H1). */
  readonly said: string
  /** The value by which it stands; the line's last one if nothing is known of now. */
  readonly value: number
  /** By which axis. */
  readonly scale: Axis['scale']
  /** What the value of now means by its axis' stretches; normal if there is none. */
  readonly state: State
  /** Room that what it may mean takes, in em: a mark beside it, and a word below. */
  readonly mark_em: number
  readonly word_em: number
}

/** Between a name and its value, in em. */
const GAP_EM = 0.4
/** Between the plot and the labels. */
const OFF_EM = 0.4

/** With less room than this a name would be none: then a dot says whose the value is. */
const NAME_ROOM_EM = 2.4
const DOT_EM = 0.6
/** A value is written in fewer letters before its name has less. */
const NAME_WANTED_EM = 3
/** With less room than this a value has no unit: its axis has it. */
const UNIT_ROOM_EM = 6

/** A mark with its gap to the value. */
const MARK_EM = 0.95

/** What a value may mean takes room from the start: a plot that gave way to an alarm would jump. */
function meaning_em({ bands }: Axis): { readonly mark_em: number; readonly word_em: number } {
  const words = bands.flatMap(({ state }) => state_word(state) ?? [])
  return words.length === 0
    ? { mark_em: 0, word_em: 0 }
    : { mark_em: MARK_EM, word_em: Math.max(...words.map(label_width_em)) }
}

export function line_ends({ series, look, stale }: PlotInput, known: Known, room_em: number): End[] {
  if (series === null) return []
  const axes = axes_of(look)
  const is_named = series.lines.length > 1
  const ends = series.lines.flatMap((line, at) => {
    const last = line.points.findLast(([start, value]) => value !== null && is_whole(start, known))?.[1] ?? null
    if (last === null) return []
    const axis = axis_of(look, axes, line.key)
    return [{ at, key: line.key, last, axis, value: newest_whole(line, known), ...meaning_em(axis) }]
  })
  const marks_em = Math.max(0, ...ends.map(({ mark_em }) => mark_em))
  const free_em = room_em - OFF_EM - marks_em
  // All of them in the same way: they are read under each other.
  const forms = VALUE_FORMS.slice(axes.length > 1 && room_em >= UNIT_ROOM_EM ? 0 : 1)
  const shortest = VALUE_FORMS[VALUE_FORMS.length - 1] as (typeof forms)[number]
  const in_form = (form: (typeof forms)[number]): string[] =>
    ends.map(({ axis, value }) => (stale ? '' : value === null ? DASHES : form(axis, value)))
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(label_width_em))
  const fitting = (name: number): string[] | undefined =>
    forms.map(in_form).find((all) => widest(all) <= free_em - (is_named ? name + GAP_EM : 0))
  const texts = fitting(NAME_WANTED_EM) ?? fitting(DOT_EM) ?? in_form(shortest)
  const name_em = room_em - OFF_EM - GAP_EM - marks_em - widest(texts)
  return ends.map(({ at, key, last, axis, value, mark_em, word_em }, index): End => {
    const name = is_named && name_em >= NAME_ROOM_EM ? fitted(key, name_em, 1) : ''
    const state = stale || value === null ? 'normal' : state_of(axis.bands, value)
    return {
      at,
      name,
      dotted: is_named && name === '',
      said: texts[index] ?? '',
      value: value ?? last,
      scale: axis.scale,
      state,
      mark_em,
      word_em: OFF_EM + word_em <= room_em ? word_em : 0,
    }
  })
}

/** Room that the labels need beside the plot, in em. */
export function ends_em(ends: readonly End[]): number {
  const widest = (of: (end: End) => number): number => Math.max(0, ...ends.map(of))
  const names = widest(({ name, dotted }) => (dotted ? DOT_EM : label_width_em(name)))
  const values = widest(({ said }) => label_width_em(said))
  // How many have no room is said whatever the others need.
  const count = ends.length > 1 ? label_width_em(`+${String(ends.length)}`) : 0
  const label = names + (names > 0 && values > 0 ? GAP_EM : 0) + widest(({ mark_em }) => mark_em) + values
  return (
    OFF_EM +
    Math.max(
      label,
      count,
      widest(({ word_em }) => word_em),
    )
  )
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
    .map((end) => ({ at: end.at, text: end.name, y: plot.valToPos(end.value, end.scale, true), end }))
    .sort((a, b) => a.y - b.y)
  const lines = Math.floor((bottom - top) / distance + 1.02)
  const labels = with_words(fitting_ends(ends, lines), all, lines)
  spread(labels, top, bottom, distance)
  const left = bbox.left + bbox.width + pen.right + letters * OFF_EM
  const right = left + (ends_em(all) - OFF_EM) * letters
  ctx.save()
  ctx.textBaseline = 'middle'
  for (const label of labels) {
    const { at, y } = label
    // Where `+2 more` is wider than all names the number has to do.
    const is_wide = at === null && left + label_width_em(label.text) * letters > ctx.canvas.width
    const text = is_wide ? `+${grouped(label.count ?? 0)}` : label.text
    const end = at === null ? undefined : all.find((one) => one.at === at)
    if (label.word !== undefined) {
      ctx.textAlign = 'right'
      ctx.font = font(pen, 700)
      ctx.fillStyle = state_ink(colours, end?.state ?? 'normal')
      ctx.fillText(label.word, right, y)
      continue
    }
    const said = end?.said ?? ''
    ctx.textAlign = 'left'
    ctx.font = font(pen, 700)
    ctx.fillStyle = at === null ? colours.label : pen.ink(at)
    if (text !== '') ctx.fillText(isolated(text), left, y)
    else if (end?.dotted === true) {
      ctx.beginPath()
      ctx.arc(left + (letters * DOT_EM) / 2, y, (letters * DOT_EM) / 2, 0, 2 * Math.PI)
      ctx.fill()
    }
    if (said === '') continue
    // Under each other, as numbers are read.
    ctx.textAlign = 'right'
    ctx.fillStyle = said === DASHES ? colours.stale : colours.value
    ctx.fillText(said, right, y)
    if (end === undefined) continue
    const mark = right - (label_width_em(said) + MARK_EM / 2) * letters
    draw_state_mark(ctx, colours, end.state, [mark, y], letters * 0.72)
  }
  ctx.restore()
}

type Row = EndLabel & { readonly word?: string }

/** What isn't normal has its word on a line of its own below it, if all of them have room. */
function with_words(labels: readonly EndLabel[], all: readonly End[], lines: number): Row[] {
  const rows = labels.flatMap((label): Row[] => {
    const end = label.at === null ? undefined : all.find((one) => one.at === label.at)
    const word = end === undefined || end.word_em === 0 ? undefined : state_word(end.state)
    return word === undefined ? [label] : [label, { ...label, word }]
  })
  return rows.length <= lines ? rows : [...labels]
}
