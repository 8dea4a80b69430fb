// The head line says of each source what it has room for, and never half of a word without saying so.
import { expect, test } from 'vitest'
import { source_words } from './head'
import { label_width_em } from './width'

const OPS = {
  title: 'Airport operations',
  words: 'lost 12 s ago: connection broken: closed during the handshake, next try in 20 s',
  brief: '',
  losses: 'lost 3 times in 24 h',
  named: true,
}

test('the losses give way first, then the middle of what is said', () => {
  expect(source_words([OPS], '0 of 16 live', 90)).toEqual([OPS])
  expect(source_words([OPS], '0 of 16 live', 52)).toEqual([{ ...OPS, losses: '' }])
  const [short] = source_words([OPS], '0 of 16 live', 36)
  expect(short?.title).toBe(OPS.title)
  expect(short?.words).toMatch(/^lost.* … .*20 s$/)
  expect(label_width_em(`${short?.title ?? ''} ${short?.words ?? ''}`)).toBeLessThan(36)
})

test('a source that needs little leaves the rest to the others', () => {
  const two = source_words(
    [OPS, { title: 'Radar', words: 'live', brief: 'live', losses: '', named: true }],
    '8 of 16 live',
    60,
  )
  expect(two[1]?.words).toBe('live')
  expect(two[0]?.words.length).toBeGreaterThan(30)
})

test('of two that are live, neither is cut while there is room to say that alone', () => {
  const live = { words: 'live by WebSocket', brief: 'live', losses: '', named: true }
  const two = [
    { ...live, title: 'Plant control' },
    { ...live, title: 'Tower radar' },
  ]
  expect(source_words(two, '18 of 19 live', 60)).toEqual(two)
  expect(source_words(two, '18 of 19 live', 31).map(({ title, words }) => `${title} ${words}`)).toEqual([
    'Plant control live',
    'Tower radar live',
  ])
})
