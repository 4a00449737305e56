// Real Yjs, asked over JSON lines what it makes of values.
//
//   {"honest": seed, "count": n}                 -> {"json": [text, …], "any": [hex, …]}   what JSON.stringify and lib0 write of random values
//   {"compare": [[[hex, …], [hex, …], …], …]}    -> {"verdicts": [null | text, …]}
//
// A case to compare is several logs of one document: as it is relayed to who is there, and as who comes later is given it. `null`: they
// hold the same values to the bit, clock by clock, and every document goes on to tell of its changes.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const require = createRequire(pathToFileURL(`${process.cwd()}/package.json`))
const Y = require('yjs')
const encoding = require('lib0/encoding')

const unhex = (text) => new Uint8Array(Buffer.from(text, 'hex'))
const hex = (bytes) => Buffer.from(bytes).toString('hex')

const random = (seed) => {
  let state = seed * 2654435761 + 1
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (n) => Math.floor(next() * n)
  return { next, below, pick: (list) => list[below(list.length)] }
}

const floats = new DataView(new ArrayBuffer(8))
const anyDouble = (r) => {
  floats.setUint32(0, r.below(2 ** 32))
  floats.setUint32(4, r.below(2 ** 32))
  return floats.getFloat64(0)
}
const NUMBERS = [0, -0, 1, -1, 63, 64, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, 2 ** 53, 2 ** 63, 2 ** 64, 1e19, 1e21, 1e300, 5e-324, 0.1, NaN, Infinity, -Infinity]
const TEXTS = ['', 'a', '😀', '\ud800', '\udc00x', '\u0000', '\u2028', '\ufeffb', '"\\/', '\ud83d', 'ключ', '\u{10ffff}', 'constructor', 'toString', ':', '://']
const number = (r) => [() => r.pick(NUMBERS), () => r.next(), () => anyDouble(r), () => r.below(2 ** 32) - 2 ** 31, () => Math.fround(r.next())][r.below(5)]()
const text = (r) => (r.below(3) > 0 ? r.pick(TEXTS) : r.pick(TEXTS) + r.pick(TEXTS))

const value = (r, depth, rare) => {
  const kind = r.below(depth > 3 ? 5 : 8)
  if (kind < 2) return number(r)
  if (kind === 2) return text(r)
  if (kind === 3) return r.pick([null, true, false])
  if (kind === 4) return rare(r)
  if (kind === 5) return [...Array(r.below(4))].map(() => value(r, depth + 1, rare))
  return Object.fromEntries([...Array(r.below(4))].map(() => [text(r), value(r, depth + 1, rare)]))
}
const rareInAny = (r) => r.pick([undefined, BigInt(r.below(2 ** 32)) * -(2n ** 20n), 2n ** 63n - 1n, -(2n ** 63n), 0n, new Uint8Array([0xf1, 0xbf, 0xbf, 0xbe])])

const honest = (seed, count) => {
  const r = random(seed)
  const json = [...Array(count)].map(() => JSON.stringify(value(r, 0, () => undefined) ?? null))
  const any = [...Array(count)].map(() => hex(encoding.encode((encoder) => encoding.writeAny(encoder, value(r, 0, rareInAny)))))
  return { json: json.map((each) => Buffer.from(each).toString('hex')), any }
}

const describe = (value) => {
  if (typeof value === 'number') {
    floats.setFloat64(0, Number.isNaN(value) ? NaN : value)
    return `number ${floats.getBigUint64(0).toString(16)}`
  }
  if (typeof value === 'bigint') return `bigint ${value}`
  if (value === undefined || value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Y.AbstractType) return `${value.constructor.name} ${value.nodeName ?? ''}`
  const kind = Object.getPrototypeOf(value)
  if (kind === Uint8Array.prototype) return `bytes ${hex(value)}`
  if (kind === Array.prototype) return `[${value.map(describe).join()}]`
  if (kind !== Object.prototype) throw new Error('an object that inherits from something of its own')
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${describe(value[key])}`).join()}}`
}

const units = ({ content, length }) => {
  if (content instanceof Y.ContentString) return content.str.split('').map((each) => `"${each.charCodeAt(0)}"`)
  if (content instanceof Y.ContentFormat) return [`${JSON.stringify(content.key)} = ${describe(content.value)}`]
  if (content instanceof Y.ContentEmbed) return [`embed ${describe(content.embed)}`]
  if (content instanceof Y.ContentDeleted) return Array(length).fill('deleted')
  return content.getContent().map(describe)
}

// What a document says, clock by clock, however its structs are cut.
const said = (doc) => {
  const lines = []
  for (const client of [...doc.store.clients.keys()].sort((a, b) => a - b)) {
    for (const struct of doc.store.clients.get(client)) {
      const deleted = struct instanceof Y.GC || struct.deleted
      const each = deleted ? Array(struct.length).fill('deleted') : units(struct).map((unit) => `${struct.parentSub ?? ''} ${unit}`)
      if (each.length !== struct.length) throw new Error('content of another length')
      each.forEach((unit, i) => lines.push(`${client}.${struct.id.clock + i} ${unit}`))
    }
  }
  return lines.join('\n')
}

// JSON.stringify writes -0 as 0, so that Yjs itself loses the sign in embeds and formats.
const withoutSign = (text) => text.replaceAll('number 8000000000000000', 'number 0')

const made = (log) => {
  const doc = new Y.Doc()
  doc.clientID = 999
  let told = 0
  doc.on('update', () => told++)
  for (const update of log) {
    const before = told
    const known = hex(Y.encodeStateVector(doc))
    Y.applyUpdate(doc, unhex(update))
    if (told === before && hex(Y.encodeStateVector(doc)) !== known) throw new Error('no update event')
  }
  if (doc.store.pendingStructs !== null || doc.store.pendingDs !== null) throw new Error('pending')
  const what = said(doc)
  for (const read of [() => doc.getText('t').toDelta(), () => doc.getMap('m').toJSON(), () => doc.getArray('l').toJSON(), () => doc.getXmlFragment('x').toArray().map((each) => each?.getAttributes?.())]) describe(read())
  const again = new Y.Doc()
  Y.applyUpdate(again, Y.encodeStateAsUpdate(doc))
  if (withoutSign(said(again)) !== withoutSign(what)) throw new Error('other values when Yjs itself encodes them')
  const before = told
  doc.getText('probe').insert(0, 'x')
  if (told === before) throw new Error('no update event for what is typed')
  return what
}

const compare = (logs) => {
  try {
    const [live, ...late] = logs.map(made)
    const other = late.find((each) => each !== live)
    return other === undefined ? null : `live: ${live}\nlate: ${other}`
  } catch (error) {
    return String(error.stack ?? error).slice(0, 400)
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const ask = JSON.parse(line)
  const answer = ask.compare !== undefined ? { verdicts: ask.compare.map(compare) } : honest(ask.honest, ask.count)
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
