/**
 * What the backend says in English without a code, in the language of the wall: causes of lost links, refusals, what is wrong with a file. Each
 * sentence is a pattern of its language's file, with named holes; what fits none is another's own words and stays as it is.
 *
 * A text can be anybody's, so its length and the work that it takes are bounded: a pattern is looked for from left to right and once only.
 */
import { numerals_now } from '../words/numerals'
import { heard_sentences, say, type Key } from '../words/say'

/** A longer text isn't looked at. */
const TEXT_CHARS_MAX = 500
/** How many parts of one text are looked up. */
const PARTS_MAX = 100
const REMEMBERED_MAX = 1_000

/** What stands in a hole, by its name. */
type Kind = 'span' | 'number' | 'known' | 'sentence' | 'words'

interface Hole {
  readonly name: string
  readonly kind: Kind
}

interface Pattern {
  /** What stands before, between and behind the holes. */
  readonly literals: readonly string[]
  readonly holes: readonly Hole[]
  readonly own: string
}

interface Patterns {
  readonly of: unknown
  /** Without a hole. */
  readonly whole: ReadonlyMap<string, string>
  /** With holes, the surest first. */
  readonly holed: readonly Pattern[]
  readonly remembered: Map<string, string>
}

let patterns: Patterns | null = null

const HOLE = /\{([a-z]+\d?)\}/

function kind_of(name: string): Kind {
  if (/^(?:age|quiet)$/.test(name)) return 'span'
  if (/^[nm]$/.test(name)) return 'number'
  if (/^(?:known\d?|level)$/.test(name)) return 'known'
  return /^(?:why|what|cause|reason|transport|word)\d?$/.test(name) ? 'sentence' : 'words'
}

function pattern(english: string, own: string): Pattern {
  const parts = english.split(HOLE)
  return {
    literals: parts.filter((_, at) => at % 2 === 0),
    holes: parts.filter((_, at) => at % 2 === 1).map((name) => ({ name, kind: kind_of(name) })),
    own,
  }
}

function compiled(sentences: readonly (readonly [string, string])[]): Patterns {
  const weight = ({ literals }: Pattern): number => literals.join('').length
  // What begins with its own words is surer than what begins with a hole, and that surer if the hole holds a sentence that is known.
  const rank = ({ literals: [first = ''], holes: [hole] }: Pattern): number => {
    if (first !== '' || hole === undefined) return 0
    return hole.kind === 'known' ? 1 : hole.kind === 'sentence' ? 3 : 2
  }
  return {
    of: sentences,
    whole: new Map(sentences.filter(([english]) => !HOLE.test(english))),
    holed: sentences
      .filter(([english]) => HOLE.test(english))
      .map(([english, own]) => pattern(english, own))
      .sort((a, b) => rank(a) - rank(b) || weight(b) - weight(a)),
    remembered: new Map(),
  }
}

/** What stands in the holes; null if the text is no such sentence. */
function holes_in({ literals }: Pattern, text: string): string[] | null {
  const [first = ''] = literals
  const last = literals.at(-1) ?? ''
  if (!text.startsWith(first) || !text.endsWith(last)) return null
  const found: string[] = []
  let from = first.length
  for (const [at, literal] of literals.entries()) {
    if (at === 0) continue
    const to = at === literals.length - 1 ? text.length - last.length : text.indexOf(literal, from + 1)
    // Nothing stands in no hole.
    if (to <= from) return null
    found.push(text.slice(from, to))
    from = to + literal.length
  }
  return found
}

const UNITS: Readonly<Record<string, [Key, string]>> = {
  ms: ['age.ms', 'ms'],
  s: ['age.s', 's'],
  min: ['age.min', 'min'],
  h: ['age.h', 'h'],
  d: ['age.d', 'd'],
  'min s': ['age.min-s', 'min'],
  'h min': ['age.h-min', 'h'],
  'd h': ['age.d-h', 'd'],
}

/** `5 s`, `1.5 s`, `2 min 5 s`, in the language of the wall; null if it is no length of time. */
export function span_heard(text: string): string | null {
  const [, much = '', unit = '', more, small] =
    /^(\d{1,9}(?:\.\d)?) (ms|s|min|h|d)(?: (\d\d?) (s|min|h))?$/.exec(text) ?? []
  const [key, name] = UNITS[small === undefined ? unit : `${unit} ${small}`] ?? []
  if (key === undefined || name === undefined) return null
  const filling: Record<string, string> = { [name]: much.replace('.', numerals_now().point) }
  if (more !== undefined && small !== undefined) filling[small] = more
  return filled_key(key, filling)
}

function filled_key(key: Key, filling: Readonly<Record<string, string>>): string {
  return (say as (key: Key, filling: Readonly<Record<string, string>>) => string)(key, filling)
}

/** One text, and what was found of its parts. */
class Listener {
  readonly #patterns: Patterns
  readonly #found = new Map<string, string | null>()

  constructor(of: Patterns) {
    this.#patterns = of
  }

  /** Null for what is no sentence that is known. */
  said(text: string): string | null {
    const known = this.#found.get(text)
    if (known !== undefined) return known
    if (this.#found.size >= PARTS_MAX) return null
    this.#found.set(text, null)
    const said = this.#patterns.whole.get(text) ?? this.#by_pattern(text)
    this.#found.set(text, said)
    return said
  }

  #by_pattern(text: string): string | null {
    for (const one of this.#patterns.holed) {
      const found = holes_in(one, text)
      const said = found === null ? null : this.#filled(one, found)
      if (said !== null) return said
    }
    return null
  }

  #filled({ holes, own }: Pattern, found: readonly string[]): string | null {
    const filling = new Map<string, string>()
    for (const [at, { name, kind }] of holes.entries()) {
      const said = this.#hole(kind, found[at] ?? '')
      if (said === null) return null
      filling.set(name, said)
    }
    return own.replace(/\{([a-z]+\d?)\}/g, (whole, name: string) => filling.get(name) ?? whole)
  }

  #hole(kind: Kind, text: string): string | null {
    switch (kind) {
      case 'span':
        return span_heard(text)
      case 'number':
        return /^[-+]?[\d.,]+(?:e[-+]?\d+)?$/.test(text) ? text : null
      case 'known':
        return this.said(text)
      case 'sentence':
        return this.said(text) ?? text
      case 'words':
        return text
    }
  }
}

/** A text of the backend's in the language of the wall. English is the backend's own. */
export function heard(text: string): string
export function heard(text: string | null): string | null
export function heard(text: string | null): string | null {
  const sentences = heard_sentences()
  if (text === null || sentences === null || text.length > TEXT_CHARS_MAX) return text
  if (patterns?.of !== sentences) patterns = compiled(sentences)
  const { remembered } = patterns
  const before = remembered.get(text)
  if (before !== undefined) return before
  const said = new Listener(patterns).said(text) ?? text
  if (remembered.size >= REMEMBERED_MAX) remembered.clear()
  remembered.set(text, said)
  return said
}
