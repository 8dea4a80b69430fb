// What the backend says in English is said in the language of the wall, and another's own words stay as they are.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { speak } from '../words/say'
import { SENTENCES } from '../words/en-heard'
import { heard, NOUNS, span_heard } from './heard'

beforeEach(async () => {
  await speak('de', 'de')
})
afterEach(async () => {
  await speak('en', 'en')
})

test('a sentence is said with what stands in its holes, each by its kind', () => {
  for (const [english, german] of [
    ['connection refused', 'Verbindung abgewiesen'],
    ['nothing heard for 5 s', 'seit 5 s nichts gehört'],
    ['nothing heard for 2.5 s', 'seit 2,5 s nichts gehört'],
    [
      'nothing is recorded for 2 d 3 h: the wall was not running',
      '2 T 3 h lang ist nichts aufgezeichnet: die Wand lief nicht',
    ],
    ['link lost: nothing heard for 2 min 5 s', 'Verbindung verloren: seit 2 min 5 s nichts gehört'],
    ['the server closed the connection (4000): go away', 'der Server schloss die Verbindung (4000): go away'],
    [
      'no secure connection: the server\'s certificate is not for "a", but for b',
      'keine sichere Verbindung: das Zertifikat des Servers ist nicht für "a", sondern für b',
    ],
    [
      'no answer by WebSocket; next by server-sent events',
      'keine Antwort über WebSocket; als Nächstes über Server-Sent Events',
    ],
    ['[::1]:80: connection refused', '[::1]:80: Verbindung abgewiesen'],
    ['a:80: connection reset; b:80: link lost', 'a:80: Verbindung abgerissen; b:80: Verbindung verloren'],
    ['Radar is down', 'Radar ist getrennt'],
    ['screen left: no page traffic, noise', 'Bildschirm left: keine Seite traffic, noise'],
    ['Lamp test passed 7 of 7, 1 not tested, 06:12', 'Lampentest bestand 7 von 7, 1 nicht geprüft, 06:12'],
    ['`a.b`: found "x", expected a number from 0 to 1e6', '`a.b`: gefunden "x", erwartet eine Zahl von 0 bis 1e6'],
    ['`k`: found nothing, expected a number', '`k`: nichts gefunden, erwartet eine Zahl'],
    [
      'lost 12 s ago: connection refused, next try in 3 s',
      'vor 12 s verloren: Verbindung abgewiesen, nächster Versuch in 3 s',
    ],
    ['baseline: counter: was not shown live again', 'Ausgangslage: counter: wurde nicht wieder live'],
  ] as const)
    expect(heard(english)).toBe(german)
})

test('what is no such sentence stays as it is', () => {
  for (const text of [
    '',
    'hello there',
    'nothing heard for ever',
    'nothing heard for ',
    'a: b; c, d',
    'connection refused!',
  ])
    expect(heard(text)).toBe(text)
  expect(heard(null)).toBeNull()
})

test('a length of time is one in full, or none', () => {
  expect(['5 s', '412 ms', '2 min 5 s', '3 h', '1 d 2 h'].map(span_heard)).toEqual([
    '5 s',
    '412 ms',
    '2 min 5 s',
    '3 h',
    '1 T 2 h',
  ])
  for (const text of ['5', '5 s ', 's', '2 s 5 min', '2 min 5 h', '1.55 s', '٥ s']) expect(span_heard(text)).toBeNull()
})

test('in English each text is the text itself', async () => {
  await speak('en', 'en')
  expect(heard('nothing heard for 5 s')).toBe('nothing heard for 5 s')
})

test('H8: a value or name that reads like a part of a sentence stays as it is', () => {
  expect(heard('`k`: found "a, expected b: found c", expected a number')).toBe(
    '`k`: gefunden "a, expected b: found c", erwartet eine Zahl',
  )
  expect(heard('`k`: found "a\\", expected b", expected a number')).toBe(
    '`k`: gefunden "a\\", expected b", erwartet eine Zahl',
  )
  for (const name of ['data', 'name', 'snapshot', 'gap', 'live'])
    expect(heard(`baseline: ${name}: was not shown live again`)).toBe(`Ausgangslage: ${name}: wurde nicht wieder live`)
})

test('what is one word is the name of a thing within a sentence', () => {
  expect(SENTENCES.filter((one) => !one.includes(' '))).toEqual(NOUNS)
  expect(heard('data is no JSON: x')).not.toContain('data')
  expect(heard('data')).toBe('data')
})

test('H8: a hostile text costs little, and a long one nothing', () => {
  const long = `link lost: ${'x'.repeat(500)}`
  expect(heard(long)).toBe(long)
  for (const part of ['a: ', 'a; ', 'link lost: ', 'connection refused, ', '`', 'no token: {why}; now: ']) {
    const text = part.repeat(500).slice(0, 499)
    const began = performance.now()
    for (let time = 0; time < 20; time += 1) heard(`${text}${String(time)}`.slice(0, 500))
    expect((performance.now() - began) / 20, part).toBeLessThan(50)
  }
})

test('what stands in a hole isn’t taken for another hole or for a form of `replace`', () => {
  expect(heard('link lost: {known} $& {why}')).toBe('Verbindung verloren: {known} $& {why}')
})
