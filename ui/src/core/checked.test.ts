import { expect, test } from 'vitest'
import { checked_words } from './checked'

test('what a comparison came to is said with its age', () => {
  expect(checked_words({ checked_ago_ms: null, drift: 0 })).toBe('not compared with the server yet')
  expect(checked_words({ checked_ago_ms: 125_000, drift: 0 })).toBe(
    'compared with the server 2 min 5 s ago: no difference',
  )
  expect(checked_words({ checked_ago_ms: 900, drift: 1 })).toBe(
    'compared with the server 0 s ago: 1 difference corrected since the start',
  )
  expect(checked_words({ checked_ago_ms: 60_000, drift: 1200 })).toBe(
    'compared with the server 1 min 0 s ago: 1200 differences corrected since the start',
  )
})
