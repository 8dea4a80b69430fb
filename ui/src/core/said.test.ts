// What is said by a code reads in English as the backend's own words do, and each code has its sentence in each language.
import { afterEach, expect, test } from 'vitest'
import type { Said } from '../generated/frame'
import { speak } from '../words/say'
import { said_or, said_text } from './said'

afterEach(async () => {
  await speak('en', 'en')
})

const NEXT: Said = { code: 'next-try', ms: 3_000 }
/** As `board/src/freshness/tests.rs` has them. */
const SENTENCES: readonly (readonly [Said, string, string])[] = [
  [{ code: 'live', transport: 'websocket' }, 'live by WebSocket', 'live über WebSocket'],
  [{ code: 'polling', every_ms: 2_000 }, 'polling every 2 s', 'alle 2 s abgefragt'],
  [
    {
      code: 'source-lost',
      ms: 12_000,
      reason: { code: 'list', parts: [{ code: 'words', words: 'connection refused' }, NEXT] },
    },
    'lost 12 s ago: connection refused, next try in 3 s',
    'vor 12 s verloren: Verbindung abgewiesen, nächster Versuch in 3 s',
  ],
  [
    { code: 'publisher-silent', ms: 125_000, quiet_ms: 60_000 },
    'publisher silent for 2 min 5 s, it promises to speak every 1 min',
    'der Sender schweigt seit 2 min 5 s, er verspricht, alle 1 min zu sprechen',
  ],
  [
    { code: 'server-silent', ms: 412 },
    'nothing heard from the server for 412 ms',
    'seit 412 ms nichts vom Server gehört',
  ],
  [{ code: 'server-silent', ms: null }, 'nothing heard from the server yet', 'noch nichts vom Server gehört'],
  [
    { code: 'source-catching-up', transport: 'sse', reason: NEXT },
    'catching up by server-sent events: next try in 3 s',
    'holt auf über Server-Sent Events: nächster Versuch in 3 s',
  ],
  [
    {
      code: 'beside',
      parts: [
        { code: 'live', transport: null },
        { code: 'paths-lost', lost: 1, of: 2, place: 'b:80', cause: 'x' },
      ],
    },
    'live; 1 of 2 paths lost, b:80: x',
    'live; 1 von 2 Wegen verloren, b:80: x',
  ],
]

test('each sentence is of the wall’s language, and another’s words stay as they are', async () => {
  for (const [said, english] of SENTENCES) expect(said_text(said)).toBe(english)
  await speak('de', 'de')
  for (const [said, , german] of SENTENCES) expect(said_text(said)).toBe(german)
})

test('what has no code says the words that came', () => {
  expect(said_or(undefined, 'as it was')).toBe('as it was')
  expect(said_or(undefined, null)).toBeNull()
})
