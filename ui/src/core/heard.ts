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
type Kind = 'span' | 'number' | 'known' | 'level' | 'noun' | 'sentence' | 'words'

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
  if (/^known\d?$/.test(name)) return 'known'
  if (name === 'level') return 'level'
  if (/^(?:what|transport|word)\d?$/.test(name)) return 'noun'
  return /^(?:why|cause|reason)\d?$/.test(name) ? 'sentence' : 'words'
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
    return hole.kind === 'known' ? 1 : hole.kind === 'sentence' || hole.kind === 'noun' ? 3 : 2
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

/** Where a value ends that stands between quotes, as JSON has it: what stands within is data, whatever it says (H8). Null for what is no such value. */
function quoted_end(text: string, from: number): number | null {
  if (text[from] !== '"') return null
  for (let at = from + 1; at < text.length; at += text[at] === '\\' ? 2 : 1) if (text[at] === '"') return at + 1
  return null
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
    const to =
      at === literals.length - 1 ? text.length - last.length : text.indexOf(literal, quoted_end(text, from) ?? from + 1)
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

/** What a thing is called within a sentence: by itself it is rather somebody's name, such as of a widget that is called `data`. */
export const NOUNS: readonly string[] = ['snapshot', 'name', 'data', 'it']

/** One text, and what was found of its parts. */
class Listener {
  readonly #patterns: Patterns
  readonly #whole: string
  readonly #found = new Map<string, string | null>()

  constructor(of: Patterns, whole: string) {
    this.#patterns = of
    this.#whole = whole
  }

  /** The whole text, as it came or as it is said. */
  heard(): string {
    return NOUNS.includes(this.#whole) ? this.#whole : (this.#said(this.#whole) ?? this.#whole)
  }

  /** Null for what is no sentence that is known. */
  #said(text: string): string | null {
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
      const said = found === null ? null : this.#filled(one, found, text === this.#whole)
      if (said !== null) return said
    }
    return null
  }

  #filled({ holes, own }: Pattern, found: readonly string[], is_whole: boolean): string | null {
    const filling = new Map<string, string>()
    for (const [at, { name, kind }] of holes.entries()) {
      const said = this.#hole(kind, found[at] ?? '', is_whole)
      if (said === null) return null
      filling.set(name, said)
    }
    return own.replace(/\{([a-z]+\d?)\}/g, (whole, name: string) => filling.get(name) ?? whole)
  }

  #hole(kind: Kind, text: string, is_whole: boolean): string | null {
    switch (kind) {
      case 'span':
        return span_heard(text)
      case 'number':
        return /^[-+]?[\d.,]+(?:e[-+]?\d+)?$/.test(text) ? text : null
      case 'known':
        // Within a sentence a single word is rather a name: of a widget that is called `gap`, say.
        return text.includes(' ') || (is_whole && !NOUNS.includes(text)) ? this.#said(text) : null
      case 'level':
        return this.#said(text)
      case 'noun':
        return this.#said(text) ?? text
      case 'sentence':
        return text.includes(' ') ? (this.#said(text) ?? text) : text
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
  const said = new Listener(patterns, text).heard()
  if (remembered.size >= REMEMBERED_MAX) remembered.clear()
  remembered.set(text, said)
  return said
}
