import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { insistent } from './superseded'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a question that another page’s has ended is asked again; any other refusal is one', async () => {
  const ask = vi.fn<() => Promise<number>>().mockRejectedValueOnce('superseded').mockResolvedValueOnce(7)
  const answer = insistent(ask, () => true)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await answer).toBe(7)
  expect(ask).toHaveBeenCalledTimes(2)
  await expect(
    insistent(
      () => Promise.reject(new Error('the disk is full')),
      () => true,
    ),
  ).rejects.toThrow('the disk is full')
})

test('what no longer counts is not asked again, and nobody insists without end', async () => {
  let counts = true
  const ask = vi.fn(() => Promise.reject(new Error('superseded')))
  const left = insistent(ask, () => counts)
  const ended = expect(left).rejects.toThrow('superseded')
  counts = false
  await vi.advanceTimersByTimeAsync(5_000)
  await ended
  expect(ask).toHaveBeenCalledTimes(1)
  const always = expect(insistent(ask, () => true)).rejects.toThrow('superseded')
  await vi.advanceTimersByTimeAsync(10_000)
  await always
  expect(ask).toHaveBeenCalledTimes(5)
})
