/** A made-up record of alarms, links and glass: what both pages over the wall are told, in every mood that a backend has. */
import type {
  AlarmName,
  AlarmReport,
  AlarmSaid,
  AlarmState,
  Priority,
  Since,
  SinceAlarm,
  SinceAlarmList,
  SinceMoments,
  SinceShown,
  SinceWidget,
  Unrecorded,
} from '../generated/frame'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const PERIOD_MS = 600_000
const DAY_MS = 24 * HOUR_MS
const EACH_MS = 31 * DAY_MS
const DECIDES_MS = 60
const SLOW_MS = 1_500
const POLL_MS = 250
const RANKS: readonly Priority[] = ['critical', 'high', 'medium', 'low']

/**
 * `rich`: much of all; `quiet`: nothing, and all of it is on record; `doubt`: nothing, and not all of it is; `few`: less than can be judged; `huge`: more than
 * has room; `empty`: no record; `late`: one that begins later; `refuses`, `slow` and `hangs` by themselves.
 */
export const MOODS = ['rich', 'quiet', 'doubt', 'few', 'huge', 'empty', 'late', 'refuses', 'slow', 'hangs'] as const
export type Mood = (typeof MOODS)[number]

const NAMES: Record<string, AlarmName> = {
  'airports/JFK': { title: 'Kennedy takes no more departures', widgets: ['airports', 'rate'] },
  rate: { title: 'Cancellations come in a rush', widgets: ['cancelled-hour', 'log'] },
  cancelled: { title: 'More cancelled today than on any day of the month', widgets: ['cancelled'] },
  delay: { title: 'Mean delay beyond 25 minutes', widgets: ['delay'] },
  'delay/EWR': { title: 'Delays', widgets: ['delay-chart'] },
  weather: { title: 'Visibility below one mile', widgets: ['weather'] },
  ontime: { title: 'On time today below three in four', widgets: ['on-time'] },
  movements: { title: 'No departure from LGA for 10 minutes', widgets: ['movements'] },
  'source:weather': { title: 'Weather service', source: 'weather', widgets: [] },
  'belt-2': {
    title: 'Gepäckförderband 2 im Abfertigungsgebäude Süd steht länger als fünf Minuten',
    widgets: ['board'],
  },
  'gate-shut': { title: 'البوابة ب١٢ مغلقة منذ أكثر من عشر دقائق', widgets: ['log'] },
  'crew-7': { title: '乗務員の交代が遅れています（第三ターミナル）', widgets: ['board'] },
}
const KEYS = [...Object.keys(NAMES), 'gone-rule/with-a-very-long-key-that-nobody-calls-by-a-title-any-more']

/** The same figures whenever they are asked for. */
function dice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function courses(mood: Mood, periods: number): number[] {
  const roll = dice(periods)
  if (mood === 'quiet' || mood === 'empty' || mood === 'doubt') return Array.from({ length: periods }, () => 0)
  const scale = mood === 'huge' ? 40 : mood === 'few' ? 0.05 : 1
  return Array.from({ length: periods }, (_, at) => {
    const hour = (at / 6) % 24
    const day = 0.7 + 0.9 * Math.max(0, Math.sin(((hour - 6) / 24) * 2 * Math.PI))
    const flood = at % 331 >= 21 && at % 331 < 24 ? 18 + Math.floor(roll() * 30) : 0
    return Math.floor(scale * (day * -Math.log(1 - roll()) * 1.1 + (mood === 'few' ? 0 : flood)))
  })
}

const said = (name: string | null, at_ms: number, words = '', until_ms: number | null = null): AlarmSaid => ({
  name,
  station: 'wall',
  at_ms,
  words,
  until_ms,
})

export class FakeReports {
  /** Set so that it answers in another mood from then on. */
  mood: Mood
  readonly #board_ms: () => number
  #from_ms = 0
  #polls = 0

  constructor(mood: Mood, board_ms: () => number) {
    this.mood = mood
    this.#board_ms = board_ms
  }

  async #answers(): Promise<void> {
    if (this.mood === 'hangs') await new Promise(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, this.mood === 'slow' ? SLOW_MS : DECIDES_MS))
    if (this.mood === 'refuses') throw new Error('the journal is read by another wall')
  }

  #holes(from_ms: number, to_ms: number): Unrecorded[] {
    if (this.mood !== 'rich' && this.mood !== 'huge' && this.mood !== 'doubt') return []
    const all: Unrecorded[] = [
      { from_ms: to_ms - 47 * MINUTE_MS, to_ms: to_ms - 41.5 * MINUTE_MS, why: 'not-running' },
      { from_ms: to_ms - 9 * HOUR_MS, to_ms: to_ms - 8.8 * HOUR_MS, why: 'not-written' },
    ]
    return all.filter((hole) => hole.from_ms >= from_ms)
  }

  async alarm_report(asked_from_ms: number | null, asked_to_ms: number | null): Promise<AlarmReport> {
    await this.#answers()
    const { mood } = this
    const to_ms = asked_to_ms ?? Date.now()
    const asked = asked_from_ms ?? to_ms - 30 * DAY_MS
    const begin_ms = mood === 'empty' ? null : mood === 'late' ? to_ms - 3 * HOUR_MS : to_ms - 200 * DAY_MS
    const from_ms = begin_ms === null ? asked : Math.max(asked, begin_ms)
    const periods = Math.ceil((to_ms - from_ms) / PERIOD_MS)
    const each = courses(mood, periods)
    const alarms = each.reduce((sum, count) => sum + count, 0)
    const max = Math.max(0, ...each)
    const over = each.filter((count) => count > 10).length
    const spread = Array.from(
      { length: 12 },
      (_, count) => each.filter((one) => (count === 11 ? one > 10 : one === count)).length,
    )
    const sorted = [...each].sort((a, b) => a - b)
    let flooded = -1
    const floods = each.flatMap((count, at) => {
      if (count <= 10 || at <= flooded) return []
      let last = at
      while ((each[last + 1] ?? 0) >= 5) last += 1
      flooded = last
      const own = each.slice(at, last + 1)
      const ends = last + 1 < each.length ? from_ms + (last + 1) * PERIOD_MS : null
      return [
        {
          from_ms: from_ms + at * PERIOD_MS,
          to_ms: ends,
          peak: Math.max(...own),
          total: own.reduce((sum, one) => sum + one, 0),
        },
      ]
    })
    const flooded_ms = floods.reduce((sum, flood) => sum + (flood.to_ms ?? to_ms) - flood.from_ms, 0)
    const weights = KEYS.map((_, at) => 1 / (at + 1.6))
    const all = weights.reduce((sum, weight) => sum + weight, 0)
    const shares = KEYS.map((key, at) => {
      const count = Math.round((alarms * (weights[at] ?? 0)) / all)
      return { key, count, percent: alarms === 0 ? 0 : (100 * count) / alarms }
    }).filter(({ count }) => count > 0)
    const parts = [0.013, 0.088, 0.21, 0.689]
    const [critical, high, medium] = parts.map((part) => Math.floor(part * alarms))
    const counts = [critical ?? 0, high ?? 0, medium ?? 0, alarms - (critical ?? 0) - (high ?? 0) - (medium ?? 0)]
    const busy = alarms > 50
    const top = shares.slice(0, 10)
    return {
      from_ms,
      to_ms,
      asked_from_ms: asked,
      begin_ms,
      unrecorded: this.#holes(from_ms, to_ms),
      unrecorded_count: this.#holes(from_ms, to_ms).length,
      entries: alarms * 3,
      observed_ms:
        to_ms - from_ms - this.#holes(from_ms, to_ms).reduce((sum, hole) => sum + hole.to_ms - hole.from_ms, 0),
      lacks: mood === 'huge' ? [{ code: 'alarms-missing', count: 1_204, from_ms: from_ms + HOUR_MS, to_ms }] : [],
      alarms,
      again: Math.floor(alarms / 19),
      aside_raised: Math.floor(alarms / 40),
      rate: {
        mean: to_ms - from_ms < PERIOD_MS ? null : alarms / ((to_ms - from_ms) / PERIOD_MS),
        p95: sorted[Math.max(0, Math.ceil(periods * 0.95) - 1)] ?? 0,
        max,
        periods,
        unobserved: 0,
        over,
        max_hour: Math.max(0, ...each.map((_, at) => each.slice(at, at + 6).reduce((sum, one) => sum + one, 0))),
        max_minute: Math.ceil(max / 4),
        spread,
        each: to_ms - from_ms > EACH_MS ? [] : each,
      },
      floods: floods.slice(0, 100),
      floods_count: floods.length,
      flood_percent: (100 * flooded_ms) / Math.max(1, to_ms - from_ms),
      priorities: RANKS.map((priority, at) => ({
        priority,
        count: counts[at] ?? 0,
        percent: alarms === 0 ? 0 : (100 * (counts[at] ?? 0)) / alarms,
        acknowledged: Math.floor((counts[at] ?? 0) * 0.9),
        unacknowledged: (counts[at] ?? 0) - Math.floor((counts[at] ?? 0) * 0.9),
        median_ms: (counts[at] ?? 0) > 1 ? ([21_000, 94_000, 240_000, 900_000][at] ?? null) : null,
        p95_ms: (counts[at] ?? 0) > 1 ? ([104_000, 1_320_000, 2_400_000, 14_400_000][at] ?? null) : null,
      })),
      top,
      top_percent: top.reduce((sum, { percent }) => sum + percent, 0),
      chattering: busy ? shares.slice(1, 4) : [],
      chattering_count: busy ? 3 : 0,
      fleeting: busy ? shares.slice(4, 6) : [],
      fleeting_count: busy ? 2 : 0,
      standing: busy
        ? [
            {
              key: 'belt-2',
              priority: 'medium',
              since_ms: to_ms - 3.4 * DAY_MS,
              raised_ms: this.#board_ms() - 3.4 * DAY_MS,
            },
            { key: 'gate-shut', priority: 'low', since_ms: to_ms - 1.2 * DAY_MS, raised_ms: null },
          ]
        : [],
      standing_count: busy ? 2 : 0,
      aside: busy
        ? [
            {
              key: 'belt-2',
              what: 'take-out',
              at_ms: to_ms - 5 * HOUR_MS,
              until_ms: null,
              by: 'Hildegard Müller-Lüdenscheidt',
              station: 'wall',
              words: 'Lager werden ersetzt, Auftrag 4711-B',
            },
            {
              key: 'gate-shut',
              what: 'shelve',
              at_ms: to_ms - 70 * MINUTE_MS,
              until_ms: to_ms + 50 * MINUTE_MS,
              by: null,
              station: 'wall',
              words: 'being worked on',
            },
            {
              key: 'delay/EWR',
              what: 'suppress',
              at_ms: to_ms - 12 * MINUTE_MS,
              until_ms: null,
              by: null,
              station: null,
              words: null,
            },
          ]
        : [],
      aside_count: busy ? 3 : 0,
      aside_unnamed: busy ? 1 : 0,
      late: busy ? 4 : 0,
      missed: busy ? 1 : 0,
      names: NAMES,
    }
  }

  async since(from_ms: number, after: number): Promise<Since> {
    if (after === 0) {
      this.#from_ms = from_ms
      this.#polls = 0
      await this.#answers()
    } else await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    if (from_ms !== this.#from_ms) throw new Error('superseded')
    this.#polls += 1
    const done = this.#polls >= 4 || this.mood === 'empty'
    return this.#happened(from_ms, done)
  }

  since_moments(name: string | null): Promise<SinceMoments> {
    const now_ms = Date.now()
    const own: SinceMoments['list'] =
      name === null ? [] : [{ kind: 'own-act', at_ms: now_ms - 95 * MINUTE_MS, of: name }]
    if (this.mood === 'empty') return Promise.resolve({ now_ms, begin_ms: null, list: [] })
    return Promise.resolve({
      now_ms,
      begin_ms: now_ms - 2 * DAY_MS,
      list: [{ kind: 'loss', at_ms: now_ms - 40 * MINUTE_MS, of: 'Weather service' }, ...own],
    })
  }

  #happened(from_ms: number, done: boolean): Since {
    const { mood } = this
    const to_ms = Date.now()
    const eventful = mood === 'rich' || mood === 'huge' || mood === 'late' || mood === 'slow'
    const holes = this.#holes(from_ms, to_ms)
    const nothing: SinceAlarmList = { lines: [], count: 0, counts: [0, 0, 0, 0] }
    const lines = eventful ? this.#alarms(to_ms) : null
    const list = (of: SinceAlarm[]): SinceAlarmList => {
      const many =
        mood === 'huge' && of.length > 2
          ? Array.from(
              { length: 90 },
              (_, at) => ({ ...(of[at % of.length] ?? of[0]), key: `crew-7/${String(at)}` }) as SinceAlarm,
            )
          : []
      const shown = [...of, ...many].slice(0, 100)
      const count = mood === 'huge' && of.length > 2 ? 10_000 : shown.length
      const counts = RANKS.map((rank) => shown.filter(({ priority }) => priority === rank).length)
      return { lines: shown, count, counts: [counts[0] ?? 0, counts[1] ?? 0, counts[2] ?? 0, counts[3] ?? 0] }
    }
    const widgets = eventful ? this.#widgets(to_ms, done) : []
    const lacks: Since['lacks'] =
      mood === 'empty'
        ? [{ code: 'no-journal' }]
        : mood === 'doubt'
          ? [
              { code: 'alarms-missing', count: 12, from_ms: to_ms - 4 * HOUR_MS, to_ms: to_ms - 3 * HOUR_MS },
              { code: 'alarms-damaged', count: 1, from_ms: to_ms - 2 * HOUR_MS, to_ms: null },
              { code: 'alarms-no-room', count: 312, from_ms: to_ms - 2 * HOUR_MS, to_ms: to_ms - HOUR_MS, rule: null },
            ]
          : mood === 'late'
            ? [
                { code: 'alarms-begin', at_ms: to_ms - 3 * HOUR_MS },
                { code: 'glass-begins', at_ms: to_ms - 2 * HOUR_MS },
              ]
            : mood === 'huge'
              ? [
                  { code: 'glass-damaged', at_ms: to_ms - 2 * HOUR_MS, count: 3 },
                  { code: 'unreadable', reason: 'database disk image is malformed' },
                ]
              : []
    return {
      version: this.#polls,
      done,
      percent: done ? 100 : this.#polls * 24,
      from_ms,
      to_ms,
      alarms: {
        stand: lines === null ? nothing : list(lines.stand),
        gone: lines === null ? nothing : list(lines.gone),
        went: lines === null ? nothing : list(lines.went),
        dealt: lines === null ? nothing : list(lines.dealt),
        unseen: lines === null ? nothing : list(lines.unseen),
        untouched: mood === 'empty' ? 0 : 2,
        entries: eventful ? 61 : 0,
        priorities: RANKS.map((priority) => ({ priority, raised: eventful ? 4 : 0, acknowledged: eventful ? 2 : 0 })),
        begin_ms: mood === 'empty' ? null : to_ms - 200 * DAY_MS,
      },
      sources: eventful
        ? [
            {
              id: 'weather',
              title: 'Weather service',
              count: 3,
              lasts: false,
              lost_ms: 11.4 * MINUTE_MS,
              became: 'unknown',
              missed: 34,
              outages: [
                {
                  source: 'weather',
                  began_ms: to_ms - 40 * MINUTE_MS,
                  ended_ms: to_ms - 33 * MINUTE_MS,
                  source_began_ms: null,
                  source_ended_ms: null,
                  cause: 'connection reset',
                  became: 'unknown',
                  missed: 34,
                },
              ],
            },
            {
              id: 'belts',
              title: 'Gepäckförderanlage Abfertigung Süd',
              count: 1,
              lasts: true,
              lost_ms: 4.2 * MINUTE_MS,
              became: null,
              missed: null,
              outages: [
                {
                  source: 'belts',
                  began_ms: to_ms - 4.2 * MINUTE_MS,
                  ended_ms: null,
                  source_began_ms: null,
                  source_ended_ms: null,
                  cause: '',
                  became: null,
                  missed: null,
                },
              ],
            },
          ]
        : [],
      unrecorded: holes,
      unrecorded_count: holes.length,
      widgets: {
        lines: widgets,
        count: widgets.length,
        others: mood === 'empty' ? 0 : 16 - widgets.length,
        doubted: eventful ? 2 : 0,
        first_ms: from_ms,
        read_ms: done ? to_ms : from_ms + (to_ms - from_ms) * 0.24 * this.#polls,
      },
      lacks,
      names: NAMES,
    }
  }

  #alarms(to_ms: number): Record<'stand' | 'gone' | 'went' | 'dealt' | 'unseen', SinceAlarm[]> {
    const board = (minutes: number): number => this.#board_ms() - minutes * MINUTE_MS
    const wall = (minutes: number): number => to_ms - minutes * MINUTE_MS
    const one = (
      key: string,
      priority: Priority,
      now: AlarmState,
      minutes: number,
      more: Partial<SinceAlarm> = {},
    ): SinceAlarm => ({
      key,
      priority,
      then: 'normal',
      now,
      wants_acknowledgement: ['unacknowledged', 'returned', 'latched-unacknowledged'].includes(now),
      count: 1,
      raised_ms: board(minutes),
      decided_ms: wall(minutes),
      first_ms: wall(minutes),
      returned_ms: null,
      cleared_ms: null,
      seen_ms: wall(minutes),
      late: false,
      unseen: false,
      acknowledged: null,
      acknowledged_count: 0,
      aside: null,
      comments: [],
      comments_count: 0,
      cause: [],
      last_ms: wall(minutes),
      last: 'raise',
      ...more,
    })
    const over = (minutes: number): Partial<SinceAlarm> => ({
      returned_ms: board(minutes),
      cleared_ms: wall(minutes),
      last: 'clear',
    })
    return {
      stand: [
        one('airports/JFK', 'critical', 'unacknowledged', 2, {
          cause: [
            { name: 'rate', value: '0' },
            { name: 'held', value: '31' },
          ],
        }),
        one('rate', 'high', 'unacknowledged', 6, { count: 3 }),
        one('crew-7', 'medium', 'unacknowledged', 14),
        one('delay', 'high', 'acknowledged', 41, {
          acknowledged: said('Keller', wall(39)),
          comments: [said('Keller', wall(38), 'slots are asked for')],
        }),
      ],
      gone: [
        one('weather', 'medium', 'returned', 33, { ...over(9), late: true }),
        one('movements', 'low', 'normal', 75, { ...over(52), acknowledged: said(null, wall(70)) }),
        one('source:weather', 'medium', 'normal', 40, {
          ...over(33),
          count: 3,
          acknowledged: said('Keller', wall(38)),
        }),
        one(KEYS.at(-1) ?? '', 'low', 'normal', 81, over(80)),
      ],
      went: [one('ontime', 'low', 'normal', 600, { ...over(64), first_ms: null, then: 'acknowledged' })],
      dealt: [
        one('belt-2', 'medium', 'out-of-service', 900, {
          then: 'unacknowledged',
          first_ms: null,
          aside: {
            what: 'take-out',
            at_ms: wall(120),
            said: said('Hildegard Müller-Lüdenscheidt', wall(120), 'Lager werden ersetzt'),
          },
        }),
        one('gate-shut', 'low', 'shelved', 300, {
          then: 'acknowledged',
          first_ms: null,
          aside: {
            what: 'shelve',
            at_ms: wall(70),
            said: said('Meier', wall(70), 'being worked on', to_ms + 50 * MINUTE_MS),
          },
        }),
        one('delay/EWR', 'medium', 'suppressed', 12, { aside: { what: 'suppress', at_ms: wall(12), said: null } }),
      ],
      unseen: [
        one('cancelled', 'medium', 'normal', 40, {
          first_ms: null,
          raised_ms: null,
          decided_ms: null,
          unseen: true,
          last: 'unseen',
        }),
      ],
    }
  }

  #widgets(to_ms: number, done: boolean): SinceWidget[] {
    const at = (minutes: number): number => to_ms - minutes * MINUTE_MS
    const shown = (minutes: number, state: SinceShown['state'], more: Partial<SinceShown> = {}): SinceShown => ({
      at_ms: at(minutes),
      state,
      freshness: 'live',
      value: null,
      alarms: 0,
      warnings: 0,
      what: null,
      ...more,
    })
    const one = (id: string, title: string, more: Partial<SinceWidget>): SinceWidget => ({
      id,
      title,
      kind: 'gauge',
      unit: null,
      decimals: 0,
      here: true,
      then: null,
      now: null,
      worst: null,
      count: 1,
      out_ms: 12 * MINUTE_MS,
      doubt_ms: 0,
      ...more,
    })
    const now = (of: SinceShown): SinceShown | null => (done ? of : null)
    const worst = (
      of: SinceShown,
      left: number | null,
      back: number | null,
      earlier = false,
    ): SinceWidget['worst'] => ({
      shown: of,
      left_ms: left === null ? null : at(left),
      left_earlier: earlier,
      back_ms: back === null ? null : at(back),
      back_earlier: earlier,
    })
    return [
      one('airports', 'Airports', {
        kind: 'status',
        out_ms: 2 * MINUTE_MS,
        then: shown(180, 'normal'),
        worst: worst(shown(2, 'alarm', { alarms: 1, warnings: 1, what: 'JFK' }), 2, null),
        now: now(shown(0, 'alarm', { alarms: 1, warnings: 1, what: 'JFK' })),
      }),
      one('cancelled', 'Cancelled today', {
        unit: 'flights',
        then: shown(180, 'normal', { value: 41 }),
        worst: worst(shown(0, 'warning', { value: 212 }), 55, null),
        now: now(shown(0, 'warning', { value: 212 })),
        out_ms: 55 * MINUTE_MS,
      }),
      one('delay', 'Durchschnittliche Verspätung aller Abflüge der letzten Stunde', {
        unit: 'min',
        decimals: 1,
        then: shown(180, 'normal', { value: 12.4 }),
        worst: worst(shown(62, 'warning', { value: 31.4 }), 70, 48, true),
        now: now(shown(0, 'normal', { value: 9.8 })),
        count: 4,
        out_ms: 22 * MINUTE_MS,
        doubt_ms: 5.5 * MINUTE_MS,
      }),
      one('weather', '視程（ジョン・F・ケネディ国際空港）', {
        unit: 'mi',
        decimals: 1,
        then: shown(180, 'warning', { value: 0.9, freshness: 'stale' }),
        worst: worst(shown(30, 'alarm', { value: 0.2 }), null, 9),
        now: now(shown(0, 'unknown', { freshness: 'unknown' })),
        out_ms: 171 * MINUTE_MS,
      }),
    ]
  }
}
