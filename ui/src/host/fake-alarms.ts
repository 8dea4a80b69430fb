/** A made-up life of alarms on the made-up day's board: every state, what people do about them, and new ones that come. */
import type {
  Act,
  AlarmAct,
  AlarmCount,
  AlarmRowsFound,
  AlarmRowsQuery,
  AlarmSaid,
  AlarmsSeen,
  AlarmState,
  AlarmsView,
  AlarmView,
  Priority,
} from '../generated/frame'
import { alarm_rows, blizzard } from './fake-alarm-rows'

const MINUTE_MS = 60_000
/** The most that a frame lists. */
const LISTED_MAX = 200
const RANKS: readonly Priority[] = ['critical', 'high', 'medium', 'low']
const DECIDES_MS = 120
/** So many stand besides in a blizzard. */
const BLIZZARD = 5_000
/** How often a new one comes. */
const COMES_MS = 20_000

type Part = Partial<Omit<AlarmView, 'cause'>> & { readonly cause?: string }

/** `name value, name value` */
const cause_of = (text: string): AlarmView['cause'] =>
  text.split(', ').map((part) => {
    const at = part.lastIndexOf(' = ')
    return { name: part.slice(0, at), value: part.slice(at + 3) }
  })

export class FakeAlarms {
  readonly #board_ms: () => number
  readonly #scenario: string
  readonly #begun_ms = performance.now()
  #all: AlarmView[] = []
  #occurrence = 0
  #sent = ''
  #came = 0
  #flood: AlarmsView['flood'] = null
  /** Set so that nothing comes by itself, for the page's tests. */
  still = false
  /** Set so that what is asked for is neither done nor refused: as a backend whose disk hangs. */
  hangs = false
  /** Set to have every act refused by this sentence. */
  refuses: string | null = null
  /** Set to what stood in the record, for the page's tests. */
  stood: AlarmView[] | null = null
  /** Set so that nothing is told of more alarms than a frame has; and after how long it is. */
  deaf = false
  slow_ms = 20
  /** How often that was asked for. */
  rows_asked = 0
  /** What hands asked for, newest last. */
  readonly asked: (AlarmAct | AlarmsSeen)[] = []

  constructor(scenario: string, board_ms: () => number) {
    this.#scenario = scenario
    this.#board_ms = board_ms
    if (!this.is_on || scenario === 'alarms-quiet') return
    this.#begin()
    if (scenario === 'alarms-flood') this.#flooded()
    if (scenario === 'alarms-blizzard') for (const part of blizzard(BLIZZARD, this.#board_ms())) this.raise(part)
    if (scenario === 'alarms-stale') this.#all = this.#all.map((alarm) => ({ ...alarm, evidence: 'stale' }))
  }

  get is_on(): boolean {
    return this.#scenario.startsWith('alarms')
  }

  /** Of a frame: nothing of a board without rules, and else all of it if anything changed. `past`: of what the glass showed then. */
  part(all: boolean, past: boolean): { alarms?: AlarmsView } {
    if (!this.is_on) return {}
    if (this.#scenario === 'alarms' && !this.still) this.#live()
    const view = past ? this.#view(this.stood ?? this.#stood()) : this.view()
    const text = JSON.stringify(view)
    if (!all && text === this.#sent) return {}
    this.#sent = text
    return { alarms: view }
  }

  /** Raises one, as tests want it. Answers its key. */
  raise(part: Part): string {
    const { cause, ...own } = part
    const now = this.#board_ms()
    this.#occurrence += 1
    const state = own.state ?? 'unacknowledged'
    const alarm: AlarmView = {
      key: `made-up-${String(this.#occurrence)}`,
      occurrence: this.#occurrence,
      title: 'Made up',
      priority: 'medium',
      state,
      wants_acknowledgement: ['unacknowledged', 'latched-unacknowledged', 'returned'].includes(state),
      evidence: 'live',
      raised_ms: now,
      returned_ms: null,
      decided_ms: Date.now(),
      realarms: 0,
      first: false,
      nuisance: null,
      cause: cause === undefined ? [] : cause_of(cause),
      widgets: [],
      acknowledged: null,
      aside: null,
      comments: [],
      ...own,
    }
    this.#all = [...this.#all.filter(({ key }) => key !== alarm.key), alarm]
    return alarm.key
  }

  /** Changes one, as tests want it. */
  change(key: string, part: Partial<AlarmView>): void {
    this.#all = this.#all.map((alarm) => (alarm.key === key ? { ...alarm, ...part } : alarm))
  }

  /** One is over, and nothing more is said of it. */
  end(key: string): void {
    this.#all = this.#all.filter((alarm) => alarm.key !== key)
  }

  #said(name: string | null, words: string, minutes: number | null = null): AlarmSaid {
    const at_ms = Date.now()
    return { name, station: 'wall', at_ms, words, until_ms: minutes === null ? null : at_ms + minutes * MINUTE_MS }
  }

  #begin(): void {
    const ago = (minutes: number): number => this.#board_ms() - minutes * MINUTE_MS
    const said = (name: string, words = '', minutes: number | null = null) => this.#said(name, words, minutes)
    this.raise({
      key: 'unwatched/wind',
      state: 'unsupervised',
      priority: 'low',
      title: 'Wind beyond 40 kt',
      evidence: 'unknown',
      raised_ms: null,
      decided_ms: null,
      widgets: ['wind'],
    })
    this.raise({
      key: 'gate-shut',
      state: 'shelved',
      priority: 'low',
      title: 'Gate B12 shut',
      raised_ms: ago(90),
      cause: 'gate = shut',
      aside: said('Meier', 'being worked on', 60),
      widgets: ['log'],
    })
    this.raise({
      key: 'belt-2',
      state: 'out-of-service',
      priority: 'medium',
      title: 'Belt 2 stands',
      raised_ms: ago(300),
      aside: said('Meier', 'bearings are replaced'),
      widgets: [],
    })
    this.raise({
      key: 'delay/EWR',
      state: 'suppressed',
      priority: 'medium',
      title: 'Delays at EWR',
      raised_ms: ago(12),
      widgets: ['delay-chart'],
    })
    this.raise({
      key: 'delay',
      state: 'acknowledged',
      priority: 'high',
      title: 'Mean delay beyond 25 minutes',
      raised_ms: ago(41),
      cause: 'mean_delay_last_hour = 31.4, departures = 62',
      acknowledged: said('Keller'),
      comments: [said('Keller', 'slots are asked for')],
      widgets: ['delay'],
    })
    this.raise({
      key: 'movements',
      state: 'latched-acknowledged',
      priority: 'low',
      title: 'No departure from LGA for 10 minutes',
      raised_ms: ago(75),
      returned_ms: ago(52),
      cause: 'rate = 0',
      acknowledged: said('Keller'),
      widgets: ['movements'],
    })
    this.raise({
      key: 'source:weather',
      source: 'weather',
      state: 'acknowledged',
      priority: 'medium',
      title: 'Weather service',
      raised_ms: ago(55),
      acknowledged: said('Keller'),
    })
    this.raise({
      key: 'weather',
      state: 'returned',
      priority: 'medium',
      title: 'Visibility below one mile',
      raised_ms: ago(33),
      returned_ms: ago(9),
      cause: 'visibility = 0.7',
      nuisance: 'fleeting',
      widgets: ['weather'],
    })
    this.raise({
      key: 'ontime',
      priority: 'low',
      title: 'On time today below three in four',
      raised_ms: ago(22),
      cause: 'share = 0.71',
      nuisance: 'standing',
      widgets: ['on-time'],
    })
    this.raise({
      key: 'cancelled',
      priority: 'medium',
      title: 'More cancelled today than on any day of the month',
      raised_ms: ago(14),
      cause: 'cancelled = 212, most = 187',
      widgets: ['cancelled'],
      group: 'cancellations',
    })
    this.raise({
      key: 'rate',
      priority: 'high',
      title: 'Cancellations come in a rush',
      raised_ms: ago(6),
      cause: 'cancelled_last_hour = 56, limit = 40',
      widgets: ['cancelled-hour', 'log'],
      group: 'cancellations',
      first: true,
      realarms: 1,
    })
    this.raise({
      key: 'airports/JFK',
      priority: 'critical',
      title: 'Kennedy takes no more departures',
      advice: 'Call the tower, hold what is on its way to the gates, tell the duty manager.',
      raised_ms: ago(2),
      cause: 'rate = 0, held = 31',
      widgets: ['airports', 'rate'],
      nuisance: 'chattering',
    })
  }

  #flooded(): void {
    const now = this.#board_ms()
    this.#flood = { since_ms: Date.now() - 4 * MINUTE_MS, total: 143 }
    for (let at = 0; at < 130; at += 1) {
      this.raise({
        key: `flight/${String(1000 + at)}`,
        priority: RANKS[[2, 3, 1, 2, 3, 2, 3, 3][at % 8] ?? 3] ?? 'low',
        title: `Flight UA ${String(1000 + at)} without a crew`,
        raised_ms: now - at * 2_000,
        cause: `minutes_to_departure = ${String(10 + (at % 40))}`,
        widgets: ['board'],
        group: 'crews',
        first: at === 129,
      })
    }
  }

  /** From time to time one comes, and the one before it goes. */
  #live(): void {
    const due = Math.floor((performance.now() - this.#begun_ms) / COMES_MS)
    if (due <= this.#came) return
    this.#came = due
    this.end('live/old')
    const before = this.#all.find(({ key }) => key === 'live/new')
    if (before !== undefined)
      this.raise({ ...before, key: 'live/old', state: 'returned', returned_ms: this.#board_ms(), cause: 'held = 2' })
    this.raise({
      key: 'live/new',
      priority: RANKS[1 + (due % 3)] ?? 'low',
      title: `Flight DL ${String(400 + due)} held at its gate`,
      cause: `held = ${String(10 + due)}`,
      widgets: ['board'],
    })
  }

  /** Of the record: what has been dealt with since called then, and what came since was not there. */
  #stood(): AlarmView[] {
    return this.#all
      .filter(({ key }) => key === 'delay')
      .map((alarm) => ({
        ...alarm,
        state: 'unacknowledged',
        wants_acknowledgement: true,
        acknowledged: null,
        comments: [],
      }))
  }

  /** All that stand. */
  all(): AlarmView[] {
    return this.#all
  }

  view(): AlarmsView {
    return this.#view(this.#all)
  }

  /** In the order of their urgency. */
  #sorted(all: readonly AlarmView[]): AlarmView[] {
    const rank = ({ state, wants_acknowledgement, priority, raised_ms }: AlarmView): number[] => {
      const put_aside = ['shelved', 'suppressed', 'out-of-service', 'unsupervised'].includes(state)
      return [put_aside ? 2 : wants_acknowledgement ? 0 : 1, RANKS.indexOf(priority), -(raised_ms ?? 0)]
    }
    return [...all].sort((one, two) => {
      const [a, b] = [rank(one), rank(two)]
      const at = a.findIndex((part, at) => part !== b[at])
      return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
    })
  }

  #view(all: readonly AlarmView[]): AlarmsView {
    const list = this.#sorted(all)
    const is_aside = ({ state }: AlarmView): boolean => ['shelved', 'suppressed', 'out-of-service'].includes(state)
    const counted = list.filter((alarm) => !is_aside(alarm) && alarm.state !== 'unsupervised')
    const counts = RANKS.map((priority): AlarmCount => {
      const own = counted.filter((alarm) => alarm.priority === priority)
      const unacknowledged = own.filter(({ wants_acknowledgement }) => wants_acknowledgement).length
      return { priority, unacknowledged, acknowledged: own.length - unacknowledged }
    })
    return {
      list: list.slice(0, LISTED_MAX),
      total: list.length,
      counts,
      aside: list.filter(is_aside).length,
      unsupervised: this.#scenario === 'alarms-quiet' ? 0 : 12,
      flood: this.#flood,
      lost: 0,
    }
  }

  /** Of all that stand, however many a frame has. */
  async rows(query: AlarmRowsQuery): Promise<AlarmRowsFound> {
    this.rows_asked += 1
    if (this.hangs) await new Promise(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, this.slow_ms))
    if (this.deaf) throw new Error('the backend has ended')
    return alarm_rows(this.#sorted(this.#all), query)
  }

  async act(act: AlarmAct): Promise<void> {
    this.asked.push(act)
    await this.#decided()
    const alarm = this.#all.find(({ key }) => key === act.key)
    if (alarm === undefined) throw new Error(`no alarm \`${act.key}\` stands`)
    this.#do(alarm, act.act, act.name)
  }

  async acknowledge(seen: AlarmsSeen): Promise<number> {
    this.asked.push(seen)
    await this.#decided()
    const wanted = this.#all.filter(
      (alarm) =>
        alarm.wants_acknowledgement &&
        alarm.priority !== 'critical' &&
        seen.seen.some(([key, occurrence]) => key === alarm.key && occurrence === alarm.occurrence),
    )
    for (const alarm of wanted) this.#do(alarm, { kind: 'acknowledge', occurrence: alarm.occurrence }, seen.name)
    return wanted.length
  }

  async #decided(): Promise<void> {
    if (this.hangs) await new Promise(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, DECIDES_MS))
    if (this.refuses !== null) throw new Error(this.refuses)
  }

  #do(alarm: AlarmView, act: Act, name: string | null): void {
    const { key } = alarm
    const to = (state: AlarmState, more: Partial<AlarmView> = {}): void => {
      this.change(key, { state, wants_acknowledgement: state === 'unacknowledged', ...more })
    }
    switch (act.kind) {
      case 'acknowledge':
        if (act.occurrence !== alarm.occurrence) throw new Error('it has been raised anew since')
        if (alarm.state === 'returned') this.end(key)
        else if (alarm.state === 'latched-unacknowledged')
          to('latched-acknowledged', { acknowledged: this.#said(name, '') })
        else to('acknowledged', { acknowledged: this.#said(name, '') })
        return
      case 'reset':
        this.end(key)
        return
      case 'silence':
        return
      case 'shelve':
        to('shelved', { aside: this.#said(name, act.reason, act.minutes) })
        return
      case 'take-out':
        to('out-of-service', { aside: this.#said(name, act.reason) })
        return
      case 'unshelve':
      case 'return':
        to('unacknowledged', { aside: null })
        return
      case 'comment':
        this.change(key, { comments: [...alarm.comments, this.#said(name, act.words)] })
    }
  }
}
