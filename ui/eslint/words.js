/**
 * What the page says stands in `src/words`, one file a language. A word that stands elsewhere is English whatever the wall speaks, so none may stand in a
 * template, in what is read aloud, on a canvas, or as a sentence in a script.
 *
 * What is never shown may: what an error says to whoever made it (`throw new Error('…')`), and what is compared, asked for or set by its name.
 */

/** Attributes that people read or hear. */
const READ = new Set([
  'aria-label',
  'aria-description',
  'aria-roledescription',
  'aria-valuetext',
  'title',
  'placeholder',
  'alt',
])
/** Written on keys everywhere, and the product's own name. */
const EVERYWHERE = /\b(?:Esc|Tab|Enter|UTC|Watchfloor)\b/g
/** Names of faces. */
const FACES = /"?Roboto(?: Condensed)?"?/g
/** What a table of words is called. */
const NAMES_OF_WORDS = /(?:WORD|LABEL|TITLE)S?$/
/** Calls whose first argument is shown. */
const SHOWS = new Set(['fillText', 'strokeText', 'say'])

const has_word = (text) => /\p{L}{2}/u.test(text.replace(EVERYWHERE, ''))
const is_sentence = (whole) => {
  const text = whole.replace(FACES, '')
  return /^[^{<]*\p{L}{2,}’?\p{L}* \p{L}{2,}/u.test(text) && !/^[-\d.]+(?:em|px)?\s|^\S+\[|[;=]/.test(text)
}

/** The texts that an expression may come to, as far as they stand there. */
function texts_of(node) {
  switch (node?.type) {
    case 'Literal':
      return typeof node.value === 'string' ? [[node, node.value]] : []
    case 'TemplateLiteral':
      return [...node.quasis.map((part) => [part, part.value.cooked ?? '']), ...node.expressions.flatMap(texts_of)]
    case 'ConditionalExpression':
      return [...texts_of(node.consequent), ...texts_of(node.alternate)]
    case 'LogicalExpression':
      return [...texts_of(node.left), ...texts_of(node.right)]
    case 'BinaryExpression':
      return node.operator === '+' ? [...texts_of(node.left), ...texts_of(node.right)] : []
    case 'TSAsExpression':
    case 'TSNonNullExpression':
      return texts_of(node.expression)
    default:
      return []
  }
}

/** Whether it is what an error says, or a name of a type. */
function is_unseen(node) {
  for (let up = node.parent; up !== undefined && up !== null; up = up.parent) {
    if (up.type === 'NewExpression' && /(?:Error|Misfit|NeedsWhole)$/.test(up.callee.name ?? '')) return true
    if (/^TS(?!As|NonNull|Satisfies)/.test(up.type)) return true
    if (up.type === 'ImportDeclaration' || up.type === 'ImportExpression') return true
    if (/Function|^Program$|^Svelte/.test(up.type)) return false
  }
  return false
}

export default {
  meta: {
    type: 'problem',
    docs: { description: 'what the page says stands in src/words' },
    messages: { word: '“{{text}}” is said by the page: it belongs into src/words/en.ts, asked for by say().' },
    schema: [],
  },
  create(context) {
    const reported = new Set()
    const report = (node, text) => {
      if (reported.has(node)) return
      reported.add(node)
      context.report({ node, messageId: 'word', data: { text: text.trim().slice(0, 60) } })
    }
    const shown = (expression) => {
      for (const [node, text] of texts_of(expression)) if (has_word(text)) report(node, text)
    }
    const sentence = (node, text) => {
      if (is_sentence(text) && !is_unseen(node)) report(node, text)
    }
    return {
      SvelteText(node) {
        const { parent } = node
        if (parent.type === 'SvelteStyleElement' || parent.type === 'SvelteScriptElement') return
        if (has_word(node.value)) report(node, node.value)
      },
      SvelteMustacheTag(node) {
        if (node.parent.type === 'SvelteElement') shown(node.expression)
        if (node.parent.type === 'SvelteAttribute' && READ.has(node.parent.key.name)) shown(node.expression)
      },
      SvelteLiteral(node) {
        if (node.parent.type === 'SvelteAttribute' && READ.has(node.parent.key.name) && has_word(node.value))
          report(node, node.value)
      },
      CallExpression({ callee, arguments: [first] }) {
        const name = callee.type === 'MemberExpression' ? callee.property.name : undefined
        if (SHOWS.has(name)) shown(first)
        if (name === 'setAttribute' && READ.has(first?.value)) shown(callee.parent.arguments[1])
      },
      AssignmentExpression({ left, right }) {
        if (
          left.type === 'MemberExpression' &&
          ['textContent', 'innerText', 'ariaLabel', 'title'].includes(left.property.name)
        )
          shown(right)
      },
      VariableDeclarator({ id, init }) {
        if (NAMES_OF_WORDS.test(id.name ?? '') && init?.type === 'ObjectExpression')
          for (const { value } of init.properties) if (value !== undefined) shown(value)
      },
      Literal(node) {
        if (typeof node.value === 'string') sentence(node, node.value)
      },
      TemplateElement(node) {
        sentence(node, node.value.cooked ?? '')
      },
    }
  },
}
