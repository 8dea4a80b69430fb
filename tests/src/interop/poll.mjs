// Messages that are asked for by a cursor, over plain HTTP: node poll.mjs PORT FILE SECRET. What it publishes is kept in the file.
// Who reads `closed` shows a JWT that the secret signed and that hasn't ended. Beside them there is a list that is answered as a whole.

import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'

import { Tokens } from './tokens.mjs'

const HISTORY = 150_000
const PAGE = 1000

const [port, file, secret] = process.argv.slice(2)
const channels = { open: { first: 0, items: [] }, closed: { first: 0, items: [] } }
let isRevoked = false
let stock = []
const tokens = new Tokens(secret)

// The status for who mayn't read; none for who may.
function refusal({ headers }) {
  const isGood = tokens.take(headers.authorization?.replace('Bearer ', '')) !== undefined
  return isRevoked ? 403 : isGood ? undefined : 401
}

function keep({ channel, messages }) {
  const { items } = channels[channel]
  for (const message of messages) items.push(message)
  const over = Math.max(0, items.length - HISTORY)
  items.splice(0, over)
  channels[channel].first += over
}

// A file that is made anew is another history: no cursor of before is one of it.
if (!existsSync(file)) appendFileSync(file, `${Date.now()}\n`)
const [epoch, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n')
lines.forEach((line) => keep(JSON.parse(line)))

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(body === undefined ? '' : JSON.stringify(body))
}

function page({ first, items }, after) {
  const end = first + items.length
  if (after === null) return [200, { items: [], next: `${epoch}-${end}` }]
  const [own, number] = after.split('-')
  const from = Number(number)
  if (own !== epoch || !(from >= first && from <= end)) return [410, { error: 'the cursor is gone' }]
  const part = items.slice(from - first, from - first + PAGE)
  return [200, { items: part, next: `${epoch}-${from + part.length}` }]
}

function read(request, then) {
  const parts = []
  request.on('data', (part) => parts.push(part))
  request.on('end', () => then(Buffer.concat(parts).toString()))
}

// A test that rests would find its connection closed in the moment of its next request.
const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://host')
  const [, first, second] = pathname.split('/')
  if (first === 'up') return answer(response, 204)
  if (first === 'tokens') return answer(response, 200, tokens.account)
  if (first === 'revoke') {
    isRevoked = true
    return answer(response, 200, {})
  }
  if (first === 'publish' && second in channels) {
    return read(request, (text) => {
      const entry = { channel: second, messages: JSON.parse(text) }
      appendFileSync(file, `${JSON.stringify(entry)}\n`)
      keep(entry)
      answer(response, 200, {})
    })
  }
  if (pathname === '/api/stock') return answer(response, 200, { items: stock })
  if (first === 'stock') {
    return read(request, (text) => {
      stock = JSON.parse(text)
      answer(response, 200, {})
    })
  }
  if (!(first in channels)) return answer(response, 404, {})
  const status = first === 'closed' ? refusal(request) : undefined
  if (status !== undefined) return answer(response, status, {})
  answer(response, ...page(channels[first], searchParams.get('after')))
})

server.listen(Number(port), '127.0.0.1')
