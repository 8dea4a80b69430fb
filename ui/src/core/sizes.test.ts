// One place for the sizes of text: the tokens, and what is worked out with them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SIZES } from './sizes'

const SRC = join(import.meta.dirname, '..')
const TOKENS = 'theme/tokens.css'
const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.(svelte|css|ts)$/.test(name),
)

test('the style sheet has the sizes that are worked with', () => {
  const tokens = readFileSync(join(SRC, TOKENS), 'utf8')
  const said = Object.fromEntries(
    [...tokens.matchAll(/--size-([a-z]+): calc\(([\d.]+)rem \* var\(--grow, 1\)\)/g)].map(([, name, rem]) => [
      name,
      Number(rem),
    ]),
  )
  expect(said).toMatchObject(SIZES)
  expect(Math.min(...Object.values(said).map(Number))).toBe(SIZES.minor)
})

test('nothing else sets a size of text', () => {
  const bare = sources
    .filter((name) => name !== TOKENS && !name.startsWith('host'))
    .flatMap((name) => {
      const text = readFileSync(join(SRC, name), 'utf8')
      const found = text.match(/font(-size)?:[^;]*[\d.]rem[^;]*;/g) ?? []
      const repeated = name.startsWith('core/sizes')
        ? []
        : (text.match(/const [A-Z_]*(TEXT|LABEL|SMALL|TITLE|MINOR)_REM[A-Z_]* = [\d.]+$/gm) ?? [])
      return [...found, ...repeated].map((line) => `${name}: ${line}`)
    })
  expect(bare).toEqual([])
})
