import { setImmediate } from 'node:timers/promises'
import { cpfHashOf, type EnvelopeCore, openText, toEnvelope } from './core.ts'
import type { Envelope, Person } from './envelope.ts'
import { listByIds, listNames, listWithHash, type Reader } from './list.store.ts'

/** Names lie sealed: each is opened to be compared, so no more than these, a few at a time. */
const MOST_NAMES = 5000
const AT_A_TIME = 200
const MOST_FOUND = 50
const SHA256 = /^[0-9a-f]{64}$/i

export const readerOf = (core: Pick<EnvelopeCore, 'platform'>, { accountId, cpf }: Person): Reader => ({ ownerId: accountId, cpfHash: cpfHashOf(core, cpf) })

/** Envelopes of this reader with a document of this name or hash, newest first. */
export async function searchEnvelopes(core: Pick<EnvelopeCore, 'platform'>, reader: Reader, text: string): Promise<Envelope[]> {
  const { db } = core.platform
  const wanted = text.trim()
  if (wanted === '') return []
  const ids = SHA256.test(wanted) ? await listWithHash(db, reader, Buffer.from(wanted, 'hex')) : await withName(core, reader, plain(wanted))
  return (await listByIds(db, reader, ids)).map((found) => toEnvelope(core, found))
}

async function withName(core: Pick<EnvelopeCore, 'platform'>, reader: Reader, wanted: string): Promise<string[]> {
  const found = new Set<string>()
  for (const [index, { id, envelopeId, name }] of (await listNames(core.platform.db, reader, MOST_NAMES)).entries()) {
    // Others have their turn in between.
    if (index % AT_A_TIME === AT_A_TIME - 1) await setImmediate()
    if (plain(openText(core, name, id)).includes(wanted)) found.add(envelopeId)
    if (found.size >= MOST_FOUND) break
  }
  return [...found]
}

/** Without what people leave out when they type: accents, capitals, spaces twice. */
const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/\s+/g, ' ')
