// Each sentence that the backend says in English without a code has one in each language: read out of its sources, so that none is forgotten.
import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { heard } from '../core/heard'
import { heard as de } from './de-heard'
import { en } from './en'
import { SENTENCES } from './en-heard'
import { as_pattern, shown_texts } from './rust.test-support'
import { speak } from './say'

afterEach(async () => {
  await speak('en', 'en')
})

const BACKEND = new URL('../../../src-tauri/', import.meta.url)

/** What says why something is lost, refused, missing, not usable or amiss on the wall. */
const SOURCES: readonly string[] = [
  ...[
    'catchup',
    'catchup/channel',
    'envelope',
    'fault',
    'feed',
    'ladder',
    'liveness',
    'paths',
    'paths/merge',
    'site',
  ].map((name) => `feed/src/${name}.rs`),
  ...['access', 'link', 'load', 'reconcile', 'replace', 'stream', 'trial', 'unreadable', 'upgrade'].map(
    (name) => `feed/src/feed/${name}.rs`,
  ),
  ...['mod', 'poll/document', 'poll/long', 'poll/rows', 'sse/session', 'websocket/session'].map(
    (name) => `feed/src/protocols/${name}.rs`,
  ),
  ...['desk', 'desktop', 'notify', 'outages', 'restore', 'watch', 'drill/course', 'drill/step', 'drill/running'].map(
    (name) => `engine/src/${name}.rs`,
  ),
  ...['journal/stall', 'journal/writer/lost', 'past/body', 'past/player', 'past/reel', 'past/view'].map(
    (name) => `engine/src/${name}.rs`,
  ),
  ...['announce/sound/mod', 'announce/sound/play', 'announce/sound/wav', 'onward/mod'].map(
    (name) => `engine/src/${name}.rs`,
  ),
  ...['dial', 'fault', 'fetch', 'http', 'proxy'].map((name) => `engine/src/transport/${name}.rs`),
  ...['board', 'board/against', 'board/glasses', 'board/tracked', 'board/voices'].map((name) => `board/src/${name}.rs`),
  ...['machine', 'people'].map((name) => `board/src/alarm/${name}.rs`),
  ...['meaning', 'pick', 'series', 'status', 'tally', 'timeline'].map((name) => `board/src/reduce/${name}.rs`),
  ...[
    'drill',
    'page',
    'past',
    'screens/keep',
    'screens/span',
    'kiosk/display',
    'settings',
    'tiles',
    'tiles/header',
  ].map((name) => `src/${name}.rs`),
]

/** What isn't said on the wall, or as a part of a sentence that is: by why. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  'put together with what stands before or behind it, which is a sentence of the table': [
    'a day beyond all days',
    'an unreadable one',
    ': its pages turn on screen {}',
    'screen {id} is gone since {}{host}',
    'screen {id}: its monitor shows what another one shows{host}',
    'screen {id}: {why} of {count} {are} gone since {}: not spanned',
    'Lamp test {}{}',
    '; it is kept as {KEPT}',
    '{error}{kept}: the wall runs without settings',
    'it is not {0}',
    'on the shelf',
    'out of service',
  ],
  'told by the desktop, in a notification of its own': [
    '{source} is back',
    'What the wall shows of it is current again.',
    '{source} is lost',
    '{source} is refused',
    'shown by {name}',
    'shown by the system',
  ],
  'said by the command line': [
    'heard by {}',
    "; whether it is muted can't be checked",
    "by the X server's power management (DPMS)",
    'by its saver: the X server has no power management here, so they show black and stay lit',
    'not on this display: {error}',
    'always on, no hours are set; they could be turned off {able}',
    'off from {hours}, {able}',
    "never done on this folder's wall",
    'less than an hour ago',
    "the wall's answer is not understood: {error}",
    'no lamp test: {why}',
    'the wall ended in the middle of its lamp test',
    'lamp test of {} widgets, about {} s; values are a copy, the wall goes on beneath',
    "no glass: only the backend's part is tested",
    'left out, as they are not live, have no value, or stand on another page: {}',
    'shown after',
    '{hours} h ago',
    '\n{untested}{} passed, {} failed',
    '\nended before its end: {why}',
    '{count} not tested, ',
    "{}: widget {id:?}: its tiles can't be drawn: {reason}",
  ],
  'of a proxy, a map’s file or a screen that was set up wrongly: for whoever sets it up, as `watchfloor doctor` says it':
    [
      'the value of header {name} has characters that HTTP does not allow',
      "the proxy's password does not fit into a header",
      'its password: {}',
      'it answered with HTTP {status} when asked for {authority}',
      'it asks for {} (HTTP 407): a user and password are shown by Basic alone',
      'it takes no user and password: leave them out',
      'it makes no connections',
      'it knows no such address as {authority}',
      'a user or password of this length does not fit into SOCKS 5',
      '{authority} does not fit into SOCKS 5: {reason}',
      'its monitors have not as many pixels a millimetre ({least:.2} to {most:.2})',
      'the X server takes the word and does nothing',
      '{length} bytes at once: expected 1 to {RANGE_BYTES_MAX}',
      'it ends within its header, after {} bytes: copy it again',
      'it is PMTiles of version {other}: expected 3: `pmtiles convert` makes one of it',
      'it holds tiles of kind {other}: expected vector tiles (MVT), PNG, JPEG or WebP: {HOW}',
      'its {what} are packed in way {other}: expected gzip or none: {HOW}',
    ],
  'the title that stands in place of a board’s': ['Nothing is recorded of this time'],
  'for machines': ['application/json, application/x-ndjson', '%Y-%m-%d %H:%M UTC'],
  logged: ['the board did not answer'],
  'what of a kept state can’t be restored, which begins anew': [
    '{} bars, the limit is {BARS_MAX}',
    'a key of {} bytes',
    'a bar of nothing',
    'a stretch of time that is none',
    '{} tiles, the limit is {TILES_MAX}',
    '{} rows, the limit is {ROWS_MAX}',
    'gaps out of order',
    'too long a text',
    '{} states of a row, the limit is {RUNS_MAX}',
    'states out of order',
  ],
}
const EXCEPTED = new Set(Object.values(EXCEPTIONS).flat())

const PATTERNS = new Set(
  [...SENTENCES, ...Object.values(en)].flatMap((one) => (typeof one === 'string' ? [as_pattern(one, false)] : [])),
)

/** A format with each hole filled by a number or a length of time, in every way. */
function* samples(pattern: string): Generator<string> {
  const at = pattern.indexOf('§')
  if (at < 0) yield pattern
  else for (const filling of ['7', '7 s']) yield* samples(pattern.slice(0, at) + filling + pattern.slice(at + 1))
}

/** Whether nothing English is left of it in the language for tests. */
function is_said(sample: string): boolean {
  let left = heard(sample.replace(/^[:;,] /, ''))
  for (let before = ''; before !== left;) {
    before = left
    left = left.replace(/⟦[^⟦⟧]*⟧/g, ' ')
  }
  return !/\p{L}{2}/u.test(left)
}

/** What single protocols and decoders say while they run. What is wrong with their settings is said with the board's file, mostly in their `mod.rs`. */
const OF_KINDS_SOURCES = ['decode', 'protocols'].flatMap((folder) =>
  readdirSync(new URL(`feed/src/${folder}/`, BACKEND), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.rs') && !/tests?\b|testing/.test(name))
    .filter((name) => !/\/mod\.rs$|^mod\.rs$|mqtt\/filter|contract/.test(name))
    .map((name) => `feed/src/${folder}/${name}`)
    .filter((name) => !SOURCES.includes(name)),
)

/** What isn't the wall's own word there: what servers and standards say, and what is put together of sentences of the table. */
const WIRE = [
  ...['{}; its history: {history}', '; its password stands in the token after a colon', 'a text'],
  ...[
    '-----BEGIN NATS USER JWT-----',
    '-----BEGIN USER NKEY SEED-----',
    'PUB {subject} {}.r.{number} {}\r\n{body}\r\n',
  ],
  ...['permissions violation', 'user authentication expired', 'maximum payload', 'parser error', 'unknown protocol'],
  ...['invalid client', 'secure connection', 'maximum connections', 'maximum account', 'connection throttling'],
  ...['maximum subscriptions', 'authorization violation', 'user authentication revoked', 'account authentication'],
  ...['Transport unknown', 'Session ID unknown', 'Bad handshake method', 'Bad request', 'Unsupported protocol version'],
  ...['Node Control/Rebirth', 'no such key', 'unknown command', 'a field'],
]

for (const source of [...SOURCES, ...OF_KINDS_SOURCES])
  test(`what ${source} says has its sentence in each language`, async () => {
    await speak('en-XA', 'en')
    const lacking = shown_texts(readFileSync(new URL(source, BACKEND), 'utf8')).filter((text) => {
      const pattern = as_pattern(text, true)
      return (
        !EXCEPTED.has(text) && !WIRE.includes(text) && !PATTERNS.has(pattern) && ![...samples(pattern)].some(is_said)
      )
    })
    expect(lacking).toEqual([])
  })

test('no exception is of something that is gone', () => {
  const all = new Set(SOURCES.flatMap((source) => shown_texts(readFileSync(new URL(source, BACKEND), 'utf8'))))
  expect([...EXCEPTED].filter((text) => !all.has(text))).toEqual([])
})

/** Put together of several texts, or of one that is chosen. */
const COMPOSED: readonly string[] = [
  "it can't reach {a}: {known}",
  '{what} is no JSON: {why}',
  '{where}: found nothing, expected {why}',
  'milliseconds since 1970, from {n} to {m}',
  'it is damaged: {why}',
  '{why}; it is kept as {a}: the wall runs without settings',
  'screen {a} is gone since {b}: its pages turn on screen {c}',
  'screen {a}: {why} of {n} is gone since {b}: not spanned',
  'screen {a}: {why} of {n} are gone since {b}: not spanned',
  'screen {a}: its monitor shows what another one shows: its pages turn on screen {b}',
  'it is not on the shelf',
  'it is not out of service',
]

test('no sentence is of something that nothing says any more', () => {
  const texts = (folder: URL, ending: string): string =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(ending) && !/tests?\b|\.test\./.test(name))
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n')
  const backend = texts(BACKEND, '.rs')
    .replace(/\\\n\s*/g, '')
    .replaceAll('\\"', '"')
  // What the page finds out about a map's file comes back as the backend's notice.
  const page = texts(new URL('../widgets/tiles/', import.meta.url), '.ts').replace(/\$\{[^{}]*\}/g, '{}')
  const said = as_pattern(backend + page, true)
  expect(SENTENCES.filter((one) => !said.includes(as_pattern(one, false)))).toEqual(COMPOSED)
})

test('a language has each sentence, with the same placeholders', () => {
  const names = (text: string): string[] => [...text.matchAll(/\{([a-z]+\d?)\}/g)].map(([, name]) => name ?? '').sort()
  expect(Object.keys(de).sort()).toEqual([...SENTENCES].sort())
  for (const [english, own] of Object.entries(de)) {
    expect(names(own), english).toEqual(names(english))
    expect(new Set(names(english)).size, english).toBe(names(english).length)
  }
})

test('texts are read out of a source as they are, and logs and tests are left out', () => {
  const source = `
    #[error("a {name} that isn't {{there}}")] // "not this one"
    #[expect(dead_code, reason = "nor this one")]
    fn f<'a>() { tracing::warn!(x = f(1), "nor what is logged"); g("two \\
        lines of it", 'x', r#"a "raw" one"#); h.expect("nor this one"); }
    #[cfg(test)]
    mod tests { const A: &str = "nor a test's own"; }`
  expect(shown_texts(source)).toEqual(["a {name} that isn't {{there}}", 'two lines of it', 'a "raw" one'])
  expect(as_pattern("a {name} that isn't {{there}}, {:?}", true)).toBe("a § that isn't {there}, §")
})
