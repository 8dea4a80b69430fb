/** What the scripted host says of its sources, and what has to be noticed. */
import type { Freshness, Notice, Quality, Said, SourceView } from '../generated/frame'

/** Ten sources, of which most aren't live. */
export const LINE_STATES: readonly Freshness[] = [
  'live',
  'polling',
  'catching-up',
  'stale',
  'down',
  'refused',
  'unknown',
  'live',
  'live',
  'live',
]

/** Why a widget isn't live. */
export const REASONS: Partial<Record<Freshness, string>> = {
  stale: 'no proof from the publisher for longer than 5 s',
  down: 'link lost: connection refused, next try in 3 s',
  refused: 'the server refused the token: HTTP 403',
  unknown: 'never had a value',
  'catching-up': 'connected, 412 events outstanding',
}

/** The same by a code, where there is one. */
const SAID: Partial<Record<Freshness, Said>> = {
  down: {
    code: 'list',
    parts: [
      { code: 'words', words: 'link lost: connection refused' },
      { code: 'next-try', ms: 3_000 },
    ],
  },
}

export const said_of = (freshness: Freshness): Pick<Quality, 'said'> => {
  const said = SAID[freshness]
  return said === undefined ? {} : { said }
}

export interface SourceFacts {
  readonly version: number
  readonly checked_at_ms: number | null
  readonly has_gaps: boolean
}

export function source_view(freshness: Freshness, { version, checked_at_ms, has_gaps }: SourceFacts): SourceView {
  const words: Record<Freshness, string> = {
    live: 'live by WebSocket',
    polling: 'polling every 5 s',
    'catching-up': 'catching up: 412 events outstanding',
    stale: 'connected, silent for 12 s',
    down: 'lost 12 s ago: connection broken: closed during the handshake, next try in 20 s',
    refused: 'refused: HTTP 403, asked again in 60 s',
    unknown: 'connecting',
  }
  const reason = (words: string, next_s: number): Said => ({
    code: 'list',
    parts: [
      { code: 'words', words },
      { code: 'next-try', ms: next_s * 1_000 },
    ],
  })
  const said: Partial<Record<Freshness, Said>> = {
    live: { code: 'beside', parts: [{ code: 'live', transport: 'websocket' }] },
    polling: { code: 'polling', every_ms: 5_000 },
    down: {
      code: 'source-lost',
      ms: 12_000,
      reason: reason('connection broken: closed during the handshake', 20),
    },
    unknown: { code: 'connecting' },
  }
  const own = said[freshness]
  return {
    ...(own === undefined ? {} : { said: own }),
    id: 'ops',
    title: 'Airport operations',
    phase:
      freshness === 'down'
        ? 'waiting'
        : freshness === 'refused'
          ? 'refused'
          : freshness === 'unknown'
            ? 'connecting'
            : 'live',
    transport: 'websocket',
    continuity: has_gaps ? 'unknown' : 'proven',
    freshness,
    words: words[freshness],
    events: version * 7,
    rejected: 0,
    gaps: has_gaps ? 2 : 0,
    checked_ago_ms: checked_at_ms === null ? null : Math.max(0, Date.now() - checked_at_ms),
    drift: has_gaps ? 1 : 0,
  }
}

export const NOTICES: Notice[] = [
  {
    id: 'board',
    state: 'warning',
    text: 'The new board file was refused; the last good one is shown',
    detail: [
      'departures.toml:14:1: unknown key `titel`, expected `title`',
      'departures.toml:31:9: `kind` of `cancelled-today` is none of `counter`, `gauge`, `rate`, `window`, `table`, `log`, `series`, `status` and `markers`: found `conter`, expected one of these words, did you mean `counter`?',
    ],
  },
  { id: 'journal', state: 'alarm', text: 'Disk full: nothing is being remembered', detail: [] },
]
