/** The texts that stand in a Rust source, as far as they may be shown: read as the compiler's lexer does, and no further. */

interface Read {
  /** The code, each text replaced by its number between two NULs. */
  readonly code: string
  readonly texts: readonly string[]
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' }

function unescaped(text: string): string {
  return text.replace(
    /\\(?:\r?\n\s*|u\{([0-9a-fA-F]+)\}|(.))/g,
    (_, code: string | undefined, letter: string | undefined) =>
      code !== undefined
        ? String.fromCodePoint(parseInt(code, 16))
        : letter === undefined
          ? ''
          : (ESCAPES[letter] ?? letter),
  )
}

const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|b?r(#*)"([\s\S]*?)"\1|b?"((?:[^"\\]|\\[\s\S])*)"|'(?:[^'\\\n]|\\(?:u\{[0-9a-fA-F]+\}|x..|.))'/g

function read(source: string): Read {
  const texts: string[] = []
  const code = source.replace(
    TOKEN,
    (_, _hashes: string | undefined, raw: string | undefined, text: string | undefined) => {
      if (raw === undefined && text === undefined) return ' '
      texts.push(raw ?? unescaped(text ?? ''))
      return `\0${String(texts.length - 1)}\0`
    },
  )
  return { code, texts }
}

/** Without what begins with `start`, up to the bracket that closes the one which that ends with. */
function without(code: string, start: RegExp, open: string, close: string): string {
  let left = ''
  let rest = code
  for (let found = start.exec(rest); found !== null; found = start.exec(rest)) {
    left += rest.slice(0, found.index)
    let at = found.index + found[0].length
    for (let depth = 1; depth > 0 && at < rest.length; at += 1) {
      if (rest[at] === open) depth += 1
      else if (rest[at] === close) depth -= 1
    }
    rest = rest.slice(at)
  }
  return left + rest
}

/** Each text that has words and is neither logged, nor a test's, nor said to whoever made a mistake in the code. */
export function shown_texts(source: string): string[] {
  const { code, texts } = read(source)
  const tests = code.search(/#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*mod \w+ \{/)
  let own = tests < 0 ? code : code.slice(0, tests)
  own = without(own, /#!?\[(?!error\()/, '[', ']')
  own = without(
    own,
    /\b(?:tracing::)?(?:trace|debug|info|warn|error|panic|unreachable|assert|assert_eq|assert_ne|debug_assert)!\(/,
    '(',
    ')',
  )
  own = without(own, /\.expect\(/, '(', ')')
  return [...own.matchAll(/\0(\d+)\0/g)].flatMap(([, at]) => {
    const text = texts[Number(at)] ?? ''
    return /\p{L}.* .*\p{L}/u.test(as_pattern(text, true).replaceAll('§', '')) ? [text] : []
  })
}

/** A sentence with a sign in place of each thing that is filled in: a Rust format, or a pattern of a language's file. */
export function as_pattern(text: string, is_rust: boolean): string {
  if (!is_rust) return text.replace(/\{[a-z]+\d?\}/g, '§')
  return text
    .replace(/\{\{|\}\}|\{[\w.]*(?::[^{}]*)?\}/g, (part) => (part === '{{' ? '\u0001' : part === '}}' ? '\u0002' : '§'))
    .replaceAll('\u0001', '{')
    .replaceAll('\u0002', '}')
}
