// Real Yjs, asked over JSON lines: it makes up honest editing sessions from a seed, and says what a document holds.
//
//   {"session": seed, "steps": n}  -> {"log": [hex, …], "view": view}     the log as a server would have received it
//   {"view": hex}                  -> {"view": view}                      of the document that is this one update
//   {"replay": [hex, …]}           -> {"view": view} | {"error": text}    of the document that these updates make
//
// A session: two to four people write rich text, XML, a map and a list, undo, go offline, come back with a diff or a merge, send
// things twice, exchange changes directly. Text is cut at code points only, as editors do.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const Y = createRequire(pathToFileURL(`${process.cwd()}/package.json`))('yjs')

const hex = (bytes) => Buffer.from(bytes).toString('hex')
const unhex = (text) => new Uint8Array(Buffer.from(text, 'hex'))

const random = (seed) => {
  let state = seed * 2654435761 + 1
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (n) => Math.floor(next() * n)
  return { below, chance: (p) => next() < p, pick: (list) => list[below(list.length)] }
}

const WORDS = ['a', 'hello ', '😀', 'héllo', '👩‍👩‍👧 ok', '漢字', 'x'.repeat(40), '\u0000', '𝒳𝒴', '\n']
const VALUES = [
  null, true, false, 0, -1, 63, 64, -64, 2 ** 31, 1.5, 1e300, NaN, '', '😀', undefined, [], {}, [1, [2, { k: [null] }]],
  { a: { b: 'c' } }, new Uint8Array([1, 2, 3]),
]
const JSON_VALUES = [true, null, 'red', { href: 'https://example.org/?q=ü😀' }, 12, 1.25, [1, 2], {}]
const KEYS = ['title', 'k', '', 'ключ', '😀']

// Offsets in UTF-16 units at which a text may be cut.
const cuts = (text) => {
  const result = [0]
  let at = 0
  for (const { insert } of text.toDelta()) {
    for (const part of typeof insert === 'string' ? insert : [' ']) {
      at += typeof insert === 'string' ? part.length : 1
      result.push(at)
    }
  }
  return result
}

const editText = (r, text) => {
  const places = cuts(text)
  const from = r.below(places.length)
  const to = Math.min(places.length - 1, from + r.below(6))
  const at = places[from]
  const length = places[to] - at
  switch (r.below(8)) {
    case 0:
    case 1:
      if (length > 0) text.delete(at, length)
      break
    case 2:
      if (length > 0) text.format(at, length, { [r.pick(['bold', 'link', 'color'])]: r.pick(JSON_VALUES) })
      break
    case 3:
      text.insertEmbed(at, r.pick([{ image: 'x' }, { mention: 7, deep: [{}] }]), r.chance(0.3) ? { bold: true } : undefined)
      break
    case 4:
      text.insert(at, r.pick(WORDS), { bold: r.pick([true, null]) })
      break
    default:
      text.insert(at, r.pick(WORDS))
  }
}

const editList = (r, list) => {
  const at = r.below(list.length + 1)
  if (r.chance(0.3) && at < list.length) list.delete(at, Math.min(list.length - at, 1 + r.below(3)))
  else if (r.chance(0.2)) list.insert(at, [r.pick([() => new Y.Map(), () => new Y.Array(), () => new Y.Text('t😀')])()])
  else list.insert(at, [...Array(1 + r.below(4))].map(() => r.pick(VALUES) ?? [undefined]))
}

const editMap = (r, map) => {
  const key = r.pick(KEYS)
  const value = map.get(key)
  if (value instanceof Y.AbstractType && r.chance(0.7)) edit(r, value)
  else if (r.chance(0.2)) map.delete(key)
  else if (r.chance(0.3)) map.set(key, r.pick([() => new Y.Map([['n', 1]]), () => new Y.Array(), () => new Y.Text('')])())
  else map.set(key, r.pick(VALUES))
}

const editXml = (r, parent) => {
  const at = r.below(parent.length + 1)
  const child = at < parent.length ? parent.get(at) : null
  if (parent instanceof Y.XmlElement && r.chance(0.15)) {
    parent.setAttribute(r.pick(['level', 'id', 'style']), r.pick(['1', 'a', 3, null, { a: 1 }]))
  } else if (parent instanceof Y.XmlElement && r.chance(0.05)) {
    parent.removeAttribute('id')
  } else if (child !== null && r.chance(0.55)) {
    edit(r, child)
  } else if (child !== null && r.chance(0.3)) {
    parent.delete(at, Math.min(parent.length - at, 1 + r.below(2)))
  } else if (r.chance(0.5)) {
    const element = new Y.XmlElement(r.pick(['paragraph', 'heading', 'listItem']))
    if (r.chance(0.6)) element.insert(0, [new Y.XmlText(r.pick(WORDS))])
    parent.insert(at, [element])
  } else {
    parent.insert(at, [new Y.XmlText(r.pick(WORDS))])
  }
}

const edit = (r, type) => {
  if (type instanceof Y.XmlText || type instanceof Y.Text) editText(r, type)
  else if (type instanceof Y.XmlFragment) editXml(r, type)
  else if (type instanceof Y.Map) editMap(r, type)
  else if (type instanceof Y.Array) editList(r, type)
}

const roots = (doc) => [doc.getXmlFragment('default'), doc.getText('text'), doc.getMap('map'), doc.getArray('list')]

class Person {
  constructor(r, clientId) {
    this.r = r
    this.doc = new Y.Doc()
    this.doc.clientID = clientId
    this.roots = roots(this.doc)
    this.outbox = []
    this.heard = 0
    this.undo = r.chance(0.5) ? new Y.UndoManager(this.roots, { captureTimeout: 0 }) : null
    this.doc.on('update', (update, origin) => {
      if (origin !== 'remote') this.outbox.push(update)
    })
  }

  edits() {
    const r = this.r
    if (this.undo !== null && r.chance(0.2)) {
      if (r.chance(0.6)) this.undo.undo()
      else this.undo.redo()
      return
    }
    this.doc.transact(() => {
      for (let n = 1 + r.below(3); n > 0; n--) edit(r, r.pick(this.roots))
    })
  }

  hears(server) {
    for (const update of server.log.slice(this.heard)) Y.applyUpdate(this.doc, update, 'remote')
    this.heard = server.log.length
  }

  sends(server) {
    const r = this.r
    if (this.gossiped || r.chance(0.2)) {
      const known = r.chance(0.2) ? undefined : Y.encodeStateVector(server.doc)
      server.receives(Y.encodeStateAsUpdate(this.doc, known))
      this.gossiped = false
    } else if (r.chance(0.2) && this.outbox.length > 1) {
      server.receives(Y.mergeUpdates(this.outbox))
    } else {
      for (const update of this.outbox) {
        server.receives(update)
        if (r.chance(0.05)) server.receives(update)
      }
    }
    this.outbox = []
  }

  gossips(other) {
    Y.applyUpdate(other.doc, Y.encodeStateAsUpdate(this.doc, Y.encodeStateVector(other.doc)), 'remote')
    other.gossiped = true
  }
}

const makeSession = (seed, steps) => {
  const r = random(seed)
  const server = {
    doc: new Y.Doc(),
    log: [],
    receives(update) {
      this.log.push(update)
      Y.applyUpdate(this.doc, update)
    },
  }
  roots(server.doc)
  const people = [...Array(2 + r.below(3))].map((_, i) => new Person(r, r.pick([i + 1, 1000 + i, 4000000000 + i])))
  const direct = r.chance(0.2)
  for (let step = 0; step < steps; step++) {
    const person = r.pick(people)
    if (r.chance(0.6)) person.edits()
    else if (r.chance(0.5)) person.hears(server)
    else person.sends(server)
    if (direct && r.chance(0.1)) person.gossips(r.pick(people))
  }
  for (let rounds = 0; rounds < 2 || people.some((person) => person.outbox.length > 0); rounds++) {
    for (const person of people) person.sends(server) // hearing makes Yjs clean up formatting, which has to be sent as well
    for (const person of people) person.hears(server)
  }
  // The server's own Y.Doc is no judge: it cleans up formatting, too, and tells nobody.
  const views = people.map((person) => view(person.doc))
  if (new Set(views.map((each) => JSON.stringify(each))).size > 1) throw new Error(`seed ${seed}: replicas differ`)
  if (server.doc.store.pendingStructs !== null || server.doc.store.pendingDs !== null) throw new Error(`seed ${seed}: pending`)
  return { log: server.log.map(hex), view: views[0] }
}

const plain = (value) => {
  if (value instanceof Y.XmlText || value instanceof Y.Text) {
    return { text: value.toDelta().map((op) => ({ ...op, insert: plain(op.insert) })), attributes: plain(value.getAttributes()) }
  }
  if (value instanceof Y.XmlElement) {
    return { name: value.nodeName, attributes: plain(value.getAttributes()), children: value.toArray().map(plain) }
  }
  if (value instanceof Y.XmlFragment) return { children: value.toArray().map(plain) }
  if (value instanceof Y.Map) return { map: plain(Object.fromEntries(value.entries())) }
  if (value instanceof Y.Array) return { list: value.toArray().map(plain) }
  if (value instanceof Uint8Array) return { bytes: [...value] }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  if (value === undefined) return 'undefined'
  if (typeof value === 'bigint') return { bigint: String(value) }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.keys(value).sort().map((key) => [key, plain(value[key])]))
  }
  return value
}

const view = (doc) => {
  const [xml, text, map, list] = roots(doc)
  return {
    xml: plain(xml), text: plain(text), map: plain(map), list: plain(list), string: text.toString(),
    clocks: [...Y.decodeStateVector(Y.encodeStateVector(doc))].sort((a, b) => a[0] - b[0]),
    pending: doc.store.pendingStructs !== null || doc.store.pendingDs !== null,
  }
}

const replay = (updates) => {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, unhex(update))
  return { view: view(doc) }
}

for await (const line of createInterface({ input: process.stdin })) {
  const ask = JSON.parse(line)
  let answer
  try {
    if (ask.session !== undefined) answer = makeSession(ask.session, ask.steps)
    else answer = replay(ask.view !== undefined ? [ask.view] : ask.replay)
  } catch (error) {
    answer = { error: String(error.stack ?? error) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
