/** What happened since a moment, line by line, in the page's words. */
import { cause_text, is_over } from '../../core/alarms'
import { DASHES, figure_text, number_text, outage_words } from '../../core/format'
import { heard } from '../../core/heard'
import type {
  AlarmState,
  Priority,
  Since,
  SinceAct,
  SinceAlarm,
  SinceLack,
  SinceShown,
  SinceSource,
  SinceWidget,
} from '../../generated/frame'
import { say } from '../../words/say'
import type { LiveWall } from '../../wall.svelte'
import { type Aim, aim_of, type Listed, unrecorded_line } from './lists'
import { name_of } from './names'
import { length_text, who_text } from './texts'

/** What became of an alarm: the parts of the answer, in their order. */
export const FATES = ['stand', 'gone', 'went', 'dealt', 'unseen'] as const
export type Fate = (typeof FATES)[number]

export interface AlarmLine {
  readonly key: string
  readonly fate: Fate
  readonly priority: Priority
  readonly over: boolean
  readonly calls: boolean
  readonly title: string
  /** When it came, and when it was over. */
  readonly when: string
  /** How it stands, in a few words. */
  readonly state: string
  /** What was done about it, and what it was made of. */
  readonly rest: readonly string[]
  readonly aim: Aim
}

/** Lacks that concern alarms: where there is one, no alarm is none seen. */
const OF_ALARMS: readonly SinceLack['code'][] = [
  ...(['no-journal', 'no-alarms', 'alarms-begin', 'alarms-missing', 'alarms-damaged', 'alarms-no-room'] as const),
  ...(['alarms-too-many', 'no-glass', 'unreadable', 'clock-set-back'] as const),
]
const OF_LOSSES: readonly SinceLack['code'][] = [
  ...(['no-journal', 'losses-begin', 'no-glass', 'unreadable', 'clock-set-back'] as const),
]
const OF_WIDGETS: readonly SinceLack['code'][] = [
  ...(['no-journal', 'no-glass', 'glass-begins', 'glass-damaged', 'glass-too-much', 'unreadable'] as const),
  'clock-set-back',
]

/** Whether what isn't in a part is proven not to have been. */
export interface Proven {
  readonly alarms: boolean
  readonly losses: boolean
  readonly widgets: boolean
  /** All of it. */
  readonly all: boolean
}

export function proven(since: Since): Proven {
  const lacks = (codes: readonly SinceLack['code'][]): boolean => since.lacks.some(({ code }) => codes.includes(code))
  const whole = since.unrecorded_count === 0
  const alarms = whole && !lacks(OF_ALARMS)
  const losses = whole && !lacks(OF_LOSSES)
  const widgets = since.done && whole && since.widgets.doubted === 0 && !lacks(OF_WIDGETS)
  return { alarms, losses, widgets, all: alarms && losses && widgets && since.lacks.length === 0 }
}

/** Whether anything is to be told. */
export function is_eventful({ alarms, sources, widgets }: Since): boolean {
  return FATES.some((fate) => alarms[fate].count > 0) || sources.length > 0 || widgets.count > 0
}

/** Who did it and when, then until when and why; what, where the state doesn't say so. */
function act_parts(live: LiveWall, { what, at_ms, said }: SinceAct, state: AlarmState): string[] {
  const when = live.zone.moment(at_ms, live.beat * 1000)
  const until =
    said?.until_ms == null ? '' : say('alarm.until', { time: live.zone.moment(said.until_ms, live.beat * 1000) })
  const who = said === null ? say('report.by-board') : who_text(said)
  const told = ASIDE[did(what)] === state
  const done = !told
    ? say('since.act', { what: say(`since.did.${did(what)}`), who, when })
    : // That the board did it is what the state says.
      said === null
      ? when
      : say('alarm.by', { who, when })
  return [done, until, said?.words ?? '']
}

const DID = ['shelve', 'unshelve', 'suppress', 'unsuppress', 'take-out', 'return'] as const
const did = (what: SinceAct['what']): (typeof DID)[number] => DID.find((one) => one === what) ?? 'return'

/** States that say by themselves what was done. */
const ASIDE: Partial<Record<(typeof DID)[number], AlarmState>> = {
  shelve: 'shelved',
  suppress: 'suppressed',
  'take-out': 'out-of-service',
}
const STATES_OVER: readonly AlarmState[] = ['normal', 'removed']

function alarm_line(live: LiveWall, since: Since, fate: Fate, alarm: SinceAlarm): AlarmLine {
  const now_ms = live.beat * 1000
  const at = (source_ms: number | null, wall_ms: number | null): string => {
    // When it happened is said by its source; a replay's tells another day's.
    const by_source = source_ms !== null && live.replay_label === null
    const ms = by_source ? source_ms : wall_ms
    return ms === null ? '' : live.zone.moment(ms, now_ms)
  }
  const came = at(alarm.raised_ms, alarm.decided_ms)
  const went = fate === 'stand' ? '' : at(alarm.returned_ms, alarm.cleared_ms)
  const { acknowledged, aside, comments } = alarm
  const said = comments.at(-1)
  const rest = [
    alarm.count > 1 ? say('since.count', { count: alarm.count }) : '',
    acknowledged === null
      ? ''
      : say(alarm.now === 'acknowledged' ? 'alarm.by' : 'since.acknowledged', {
          who: who_text(acknowledged),
          when: live.zone.moment(acknowledged.at_ms, now_ms),
        }),
    ...(aside === null ? [] : act_parts(live, aside, alarm.now)),
    alarm.late ? say('since.late') : '',
    alarm.unseen && fate !== 'unseen' ? say('since.fate.unseen') : '',
    said === undefined ? '' : `“${said.words}” ${who_text(said)}`,
    cause_text(alarm),
  ]
  return {
    key: alarm.key,
    fate,
    priority: alarm.priority,
    over: is_over({ state: alarm.now }),
    // What is put aside waits, but calls nobody.
    calls: alarm.wants_acknowledgement && !Object.values(ASIDE).includes(alarm.now),
    title: name_of(since.names, alarm.key),
    when: went === '' ? came : `${came === '' ? DASHES : came}–${went}`,
    state:
      (STATES_OVER.includes(alarm.now) && fate !== 'stand') || fate === 'unseen'
        ? say(`since.fate.${fate}`)
        : say(`alarm.state.${alarm.now}`),
    rest: rest.filter(Boolean),
    aim: aim_of(since.names, alarm.key, alarm.first_ms ?? alarm.last_ms),
  }
}

/** The alarms that are told one by one, those that stand first. */
export function alarm_lines(live: LiveWall, since: Since): AlarmLine[] {
  return FATES.flatMap((fate) => since.alarms[fate].lines.map((alarm) => alarm_line(live, since, fate, alarm)))
}

/** Links that were lost. */
export function source_line(source: SinceSource): Listed & { readonly lasts: boolean } {
  const [newest] = source.outages
  const became = outage_words({
    ended_ms: source.lasts ? null : 0,
    became: source.became,
    missed: source.missed,
  })
  const cause = newest === undefined || newest.cause === '' ? '' : heard(newest.cause)
  return {
    title: source.title,
    detail: [
      source.lasts ? say('since.lost-now') : '',
      say('since.lost', { count: source.count, span: length_text(source.lost_ms) }),
      source.became === null ? '' : became,
      cause,
    ]
      .filter(Boolean)
      .join(', '),
    priority: null,
    aim: { key: '', widgets: [], past_ms: newest?.began_ms ?? null },
    lasts: source.lasts,
  }
}

export interface ShownText {
  readonly text: string
  /** The same where there is less room: without its unit. */
  readonly short: string
  /** What follows it whatever room there is: how many more there are. */
  readonly tail: string
  /** Whether it is what was last known, for it was not live. */
  readonly doubtful: boolean
}

/** What a widget showed: its number, else what was worst in it, else its state. */
export function shown_text(widget: SinceWidget, shown: SinceShown): ShownText {
  const { value, what, alarms, warnings, freshness, state } = shown
  const doubtful = freshness !== 'live' && freshness !== 'polling'
  const bad = alarms + warnings
  if (value !== null && freshness !== 'unknown' && freshness !== 'refused') {
    const short = figure_text(value, { unit: widget.unit, decimals: widget.decimals })
    return { text: widget.unit === null ? short : `${short} ${widget.unit}`, short, tail: '', doubtful }
  }
  const text =
    freshness === 'unknown' || freshness === 'refused' ? say(`freshness.${freshness}`) : (what ?? say(`state.${state}`))
  const tail = what !== null && bad > 1 ? ` +${number_text(bad - 1, 0)}` : ''
  return { text, short: text, tail, doubtful }
}

/** Less than the glass was recorded by is nothing to be told. */
const TOLD_MS = 1_000

/** How often and how long a widget wasn't normal. */
export function out_text({ count, out_ms, doubt_ms }: SinceWidget): string {
  const out = count > 1 ? say('since.out-times', { count, span: length_text(out_ms) }) : length_text(out_ms)
  return doubt_ms >= TOLD_MS ? `${out}, ${say('since.doubt', { span: length_text(doubt_ms) })}` : out
}

/** When it was worst: `14:02–14:05`, as far as that is known. */
export function worst_text(live: LiveWall, since: Since, { worst }: SinceWidget): string {
  if (worst === null) return ''
  const now_ms = live.beat * 1000
  const at = (ms: number): string => live.zone.moment(ms, now_ms)
  const left =
    worst.left_ms === null
      ? say('since.before', { time: at(since.from_ms) })
      : worst.left_earlier
        ? say('since.at-latest', { time: at(worst.left_ms) })
        : at(worst.left_ms)
  const back =
    worst.back_ms === null
      ? ''
      : worst.back_earlier
        ? say('since.at-latest', { time: at(worst.back_ms) })
        : at(worst.back_ms)
  return back === '' ? say('alarm.since', { time: left }) : `${left}–${back}`
}

/** Why something isn't known, in a sentence. */
function lack_text(live: LiveWall, lack: SinceLack): string {
  const at = (ms: number): string => live.zone.instant(ms, live.beat * 1000)
  switch (lack.code) {
    case 'no-journal':
    case 'no-alarms':
    case 'no-glass':
      return say(`lack.${lack.code}`)
    case 'alarms-begin':
    case 'losses-begin':
    case 'glass-begins':
    case 'glass-too-much':
    case 'clock-set-back':
      return say(`lack.${lack.code}`, { time: at(lack.at_ms) })
    case 'alarms-missing':
    case 'alarms-damaged':
    case 'alarm-marks-damaged':
    case 'alarms-too-many':
      return say(`lack.${lack.code}`, { count: lack.count })
    case 'alarms-no-room':
      return lack.rule === null
        ? say('lack.alarms-no-room', { count: lack.count })
        : say('lack.keys-no-room', { count: lack.count, rule: lack.rule })
    case 'glass-damaged':
      return say('lack.glass-damaged', { count: lack.count, time: at(lack.at_ms) })
    case 'unreadable':
      return say('lack.unreadable', { why: heard(lack.reason) })
  }
}

/** Between what it isn't known. */
function lack_span(live: LiveWall, lack: SinceLack): string {
  if (!('from_ms' in lack)) return ''
  const at = (ms: number): string => live.zone.instant(ms, live.beat * 1000)
  const { from_ms, to_ms } = lack
  if (from_ms === null) return to_ms === null ? '' : say('lack.before', { time: at(to_ms) })
  return to_ms === null
    ? say('lack.after', { time: at(from_ms) })
    : say('lack.between', { from: at(from_ms), to: at(to_ms) })
}

/** What could not be looked at. */
export function lack_lines(live: LiveWall, lacks: readonly SinceLack[]): Listed[] {
  return lacks.map((lack): Listed => {
    const past_ms = 'at_ms' in lack ? lack.at_ms : 'from_ms' in lack ? lack.from_ms : null
    const aim = { key: '', widgets: [], past_ms }
    return { title: lack_text(live, lack), detail: lack_span(live, lack), priority: null, aim }
  })
}

/** What can't be known: what could not be looked at, then when nothing was recorded. */
export function unknown_lines(live: LiveWall, since: Since): Listed[] {
  return [...lack_lines(live, since.lacks), ...since.unrecorded.map((one) => unrecorded_line(live, one))]
}
