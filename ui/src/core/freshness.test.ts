// H1: live ends by itself on the page's own clock, and all of it ends when the backend falls silent.
import { expect, test } from 'vitest'
import type { Freshness, Quality } from '../generated/frame'
import { expired_reason, judge, silent_reason } from './freshness'

function quality(freshness: Freshness, more: Partial<Quality> = {}): Quality {
  return {
    freshness,
    reason: null,
    age_ms: 200,
    limit_ms: 5_000,
    live_for_ms: 4_800,
    source_ms: 0,
    received_ago_ms: 0,
    basis: 'proven',
    incomplete_until_ms: null,
    rejected: null,
    against: null,
    ...more,
  }
}

test.each<[Freshness, number, string | null, Freshness, string | null]>([
  ['live', 0, null, 'live', null],
  ['live', 4_800, null, 'live', null],
  ['live', 4_801, null, 'stale', expired_reason()],
  ['polling', 4_801, null, 'stale', expired_reason()],
  ['catching-up', 60_000, null, 'catching-up', null],
  ['down', 60_000, null, 'down', null],
  ['live', 0, silent_reason(), 'stale', silent_reason()],
  ['polling', 0, silent_reason(), 'stale', silent_reason()],
  ['catching-up', 0, silent_reason(), 'stale', silent_reason()],
  ['down', 0, silent_reason(), 'stale', silent_reason()],
  ['refused', 0, silent_reason(), 'refused', silent_reason()],
  ['unknown', 0, silent_reason(), 'unknown', silent_reason()],
])('%s after %d ms, frozen because %s, is %s', (freshness, since_ms, frozen, expected, reason) => {
  const verdict = judge(quality(freshness), since_ms, frozen)
  expect(verdict.freshness).toBe(expected)
  expect(verdict.reason).toBe(reason)
})

test('the age goes on counting, and is told before live ends', () => {
  expect(judge(quality('live'), 1_000, null)).toMatchObject({ age_ms: 1_200, tells_age: false })
  expect(judge(quality('live'), 3_000, null)).toMatchObject({ age_ms: 3_200, tells_age: true })
  expect(judge(quality('unknown', { age_ms: null }), 3_000, null).age_ms).toBeNull()
})

test('what was never known has no age, however old the link’s last proof is', () => {
  expect(judge(quality('unknown'), 3_000, null)).toMatchObject({ age_ms: null, tells_age: false })
  expect(judge(quality('unknown'), 3_000, silent_reason())).toMatchObject({ age_ms: null, tells_age: false })
})
