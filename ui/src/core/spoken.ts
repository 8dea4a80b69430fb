/** A widget in a sentence, for whoever hears the wall and doesn't see it: each value with its state, and how far it can be believed. */
import type { NumberLook, NumberValue, State, WidgetView } from '../generated/frame'
import { decimals_of, mark_text, own_decimals } from './digits'
import { figure_text, number_text, shown_number } from './format'
import { freshness_word, is_current, shows_value } from './freshness'
import type { Freshness } from '../generated/frame'
import { state_of } from './bands'
import { newest_whole } from './buckets'
import { shown_tiles } from './silent'
import type { Held, HeldSeries } from './held'
import { say } from '../words/say'

export interface Spoken {
  readonly view: WidgetView
  readonly value: Held | null
  readonly freshness: Freshness
  readonly age: string | null
  readonly reason: string | null
  readonly disputed: boolean
}

/** What is to be acted on; nothing is said of the rest. */
function state_word(state: State): string {
  return state === 'normal' || state === 'muted' ? '' : say(`state.${state}`)
}
const NAMED_MAX = 3

function at_least_text(number: string, at_least: boolean): string {
  return at_least ? say('number.at-least', { number }) : number
}

export function spoken(said: Spoken): string {
  const { view, value, freshness, age, reason, disputed } = said
  const parts: string[] = []
  if (shows_value(freshness) && value !== null) parts.push(...words_of(view, value, is_current(freshness)))
  if (disputed) parts.push(say('spoken.disputed'))
  if (!is_current(freshness)) parts.push([freshness_word(freshness), age].filter((part) => part !== null).join(' '))
  if (reason !== null) parts.push(reason)
  return `${view.title}: ${parts.filter((part) => part !== '').join(', ')}`
}

/** What can't be drawn can't be said either, and its panel says why. */
function words_of(view: WidgetView, value: Held, current: boolean): string[] {
  try {
    return value_words(view, value, current)
  } catch {
    return []
  }
}

function value_words({ look }: WidgetView, value: Held, current: boolean): string[] {
  switch (value.kind) {
    case 'number': {
      if (!('trend_ms' in look) || value.value === null) return [say('number.none')]
      return number_words({ ...look, decimals: decimals_of(look, [value.value, ...value.trend]) }, value, current)
    }
    case 'table':
      return [say('spoken.rows', { count: value.total }), ...counted(value.rows.map(({ state }) => state))]
    case 'log':
      return [value.lines[0]?.text ?? say('spoken.nothing')]
    case 'status':
      return named(
        shown_tiles(value.tiles).map((tile) => ({ name: `${tile.label} ${tile.text}`, state: tile.state })),
        'spoken.tiles',
      )
    case 'timeline': {
      const now = value.rows.flatMap(({ label, stretches }) => {
        const last = stretches.at(-1)
        return last?.to_ms === null ? [{ name: `${label} ${last.text}`, state: last.state }] : []
      })
      return [
        ...named(now, 'spoken.rows'),
        value.rows.length > now.length ? say('spoken.unknown', { count: value.rows.length - now.length }) : '',
      ]
    }
    case 'tally': {
      if (look.kind !== 'tally') return []
      const { unit } = look
      const said = (one: number | null): string => (one === null ? say('number.none') : figure_text(one, look))
      return named(
        value.bars.map((bar) => ({ name: `${bar.key} ${said(bar.value)} ${unit ?? ''}`.trim(), state: bar.state })),
        'spoken.bars',
      )
    }
    case 'markers':
      return [
        say('spoken.markers', { count: value.total }),
        ...counted([...value.by_key.values()].map(({ state }) => state)),
        ...value.fences.flatMap(({ state, inside }, at) => {
          const name = look.kind === 'markers' ? look.fences?.[at]?.name : undefined
          return name === undefined || state === 'normal'
            ? []
            : [say('spoken.fence', { name, state: state_word(state), count: inside })]
        }),
      ]
    case 'histogram': {
      const total = value.counts.reduce((sum, count) => sum + count, 0)
      const stats = look.kind === 'histogram' ? look.stats : []
      const said = stats.flatMap((name, at) => {
        const stat = value.stats[at] ?? null
        return stat === null || look.kind !== 'histogram' ? [] : [`${name} ${figure_text(stat, look)}`]
      })
      return [at_least_text(say('spoken.values', { count: total }), value.at_least), ...said]
    }
    case 'series': {
      if (look.kind === 'heat')
        return [look.days ? say('spoken.days') : say('spoken.rows', { count: value.lines.length })]
      return look.kind === 'series' ? chart_ends(look, value).map(end_words) : []
    }
  }
}

/** A line of a chart at its end. */
interface End {
  readonly key: string
  readonly text: string
  readonly state: State
}

type ChartLook = Extract<WidgetView['look'], { kind: 'series' }>

/** As what stands at the lines' ends: of the bucket that ended last, by the axis that the line is read by. */
function chart_ends(look: ChartLook, { lines, gaps }: HeldSeries): End[] {
  // The newest bucket of all is still filling.
  const until_ms = Math.max(...lines.map(({ points }) => points.at(-1)?.[0] ?? -Infinity))
  return lines.flatMap((line): End[] => {
    const value = newest_whole(line, { bucket_ms: look.bucket_ms, until_ms, gaps })
    if (value === null) return []
    const is_right = look.lines?.find(({ key }) => key === line.key)?.right === true
    const { unit, decimals, bands = [] } = (is_right ? look.right : undefined) ?? look
    const text = `${figure_text(value, { unit, decimals })} ${unit ?? ''}`.trim()
    return [{ key: line.key, text, state: state_of(bands, value) }]
  })
}

function end_words({ key, text, state }: End): string {
  const word = state_word(state)
  return `${key} ${text}`.trim() + (word === '' ? '' : ` (${word})`)
}

/** As the panel has it: of an old number neither how far it is from its target nor how it changed. */
function number_words(look: NumberLook, value: NumberValue, current: boolean): string[] {
  const unit = look.unit === null ? '' : ` ${look.unit}`
  const words = [at_least_text(`${figure_text(value.value, look)}${unit}`, value.at_least), state_word(value.state)]
  if (!current) return words
  if (look.target !== null && value.value !== null) words.push(target_words(look, value.value, look.target))
  if (value.toward !== null) words.push(say(`spoken.${value.toward}`))
  return words
}

function target_words(look: NumberLook, value: number, target: number): string {
  const meant = shown_number(target, look)
  const decimals = Math.max(look.decimals, own_decimals(meant))
  // Of what is said, so that whoever reckons finds it right.
  const by = Number(shown_number(value, look).toFixed(look.decimals)) - meant
  const far = number_text(Math.abs(by), decimals)
  if (!Number.isFinite(by)) return say('spoken.target', { target: mark_text(target, look) })
  if (Number(by.toFixed(decimals)) === 0) return say('spoken.on-target', { target: mark_text(target, look) })
  return say(by > 0 ? 'spoken.above' : 'spoken.below', { far, target: mark_text(target, look) })
}

function counted(states: readonly State[]): string[] {
  return (['alarm', 'warning'] as const).flatMap((state) => {
    const count = states.filter((other) => other === state).length
    return count === 0 ? [] : [say('spoken.in-state', { count, state: state_word(state) })]
  })
}

function named(
  all: readonly { name: string; state: State }[],
  what: 'spoken.tiles' | 'spoken.rows' | 'spoken.bars',
): string[] {
  const abnormal = all.filter(({ state }) => state_word(state) !== '')
  const words = abnormal.slice(0, NAMED_MAX).map(({ name, state }) => `${name} (${state_word(state)})`)
  const more = abnormal.length - words.length
  return [say(what, { count: all.length }), ...words, more > 0 ? say('spoken.more', { count: more }) : '']
}

/** What a listener is told of when it changes: not each value, but what it means and whether it can be believed. */
export function standing({ view: { look }, value, freshness, disputed }: Spoken): string {
  const states =
    value?.kind === 'number'
      ? [value.state]
      : value?.kind === 'series' && look.kind === 'series'
        ? chart_ends(look, value).map(({ state }) => state)
        : []
  const worst = (['alarm', 'warning', 'unknown'] as const).find((state) => states.includes(state))
  return [freshness, disputed ? 'disputed' : '', worst ?? ''].join('/')
}
