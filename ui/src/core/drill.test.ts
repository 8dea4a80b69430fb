import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { speak } from '../words/say'
import { drill_words, step_expects, step_name } from './drill'

const HOUR_MS = 3_600_000

describe('the last lamp test', () => {
  it('says first what was wrong with it', () => {
    const last = { at_ms: 0, passed: 8, failed: 0, untested: 0, ended: null }
    expect(drill_words(null, 0)).toBe('never done')
    expect(drill_words(last, 8 * HOUR_MS)).toMatch(/^8 passed, 8 h.* ago$/)
    expect(drill_words({ ...last, passed: 6, failed: 2 }, 0)).toMatch(/^2 FAILED, .* ago$/)
    expect(drill_words({ ...last, untested: 1 }, 0)).toMatch(/^8 passed, 1 not tested, /)
    expect(drill_words({ ...last, ended: 'at the wall' }, 0)).toMatch(/^ended before its end, /)
  })
})

it('names and describes each step as the backend does, in the language of the wall', async () => {
  const rust = readFileSync(join(import.meta.dirname, '../../../src-tauri/engine/src/drill/step.rs'), 'utf8')
  const arms = (of: string): string[] => {
    const body = new RegExp(`fn ${of}\\(self\\).*?\\n    }\\n`, 's').exec(rust)?.[0] ?? ''
    return [...body.matchAll(/=> "([^"]+)"/g)].map(([, text]) => text ?? '')
  }
  const [names, expects] = [arms('name'), arms('expects')]
  expect(names.length).toBe(8)
  expect(names.map(step_name)).toEqual(names)
  expect(names.map((name) => step_expects({ name, expects: '' }))).toEqual(expects)
  await speak('de', 'de')
  expect(names.map(step_name)).not.toEqual(names)
  await speak('en', 'en')
  expect(step_name('a new one')).toBe('a new one')
})
