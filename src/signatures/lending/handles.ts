import { randomInt, randomUUID } from 'node:crypto'
import { Problem } from '../../platform/problem.ts'
import { entitledSigner, type SigningCore } from '../activation/core.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import type { Ask } from './ask.ts'
import { insertAsk } from './ask.store.ts'
import { openByHandle, publicKeyOf } from './handle-box.ts'
import { countHandles, findNumber, forgetHandle, type HandleParties, insertNumber, lockHandle, lockHandles, setHandle } from './handle.store.ts'
import { HANDLE_WAY, type Lendings } from './lendings.ts'
import { hashOf, newSecret, secretOf } from './one-use-secret.ts'

/** A citizen has to read a message first, and perhaps to sign in. */
const REQUEST_SECONDS = 900
/** A number that no request follows. */
const NUMBER_SECONDS = 300
/** Requests of one client to one citizen that wait or were refused, in a quarter of an hour: more would be a siege. */
const MOST_REQUESTS = 3
const MOST_NUMBERS = 20

/** What a client that waits is told. */
export type Collected = { readonly state: 'waiting' } | { readonly state: 'refused' } | { readonly state: 'answered'; readonly token: string; readonly secondsLeft: number }

/** Requests for signatures without a redirect: the citizen answers in their own area, and the client asks again and again whether they did. */
export interface Handles {
  /** A number that client and page show, so that the citizen knows which request is theirs. @throws {Problem} signatures/too-many-activations */
  number(parties: HandleParties): Promise<string>
  /**
   * The citizen is told, and the client gets what it waits with; undefined for a number that is none of its.
   *
   * @throws {Problem} signatures/not-entitled, signatures/too-many-activations
   */
  ask(request: HandleParties & Pick<Ask, 'redirectUri'> & { documents: readonly { label: string; hash: string }[]; challenge?: string | undefined }): Promise<{ handle: string; challenge: string } | undefined>
  /** The token once, as soon as the citizen agreed; undefined for what is no handle of this client's. */
  collect(handle: string, parties: Omit<HandleParties, 'credentialId'>): Promise<Collected | undefined>
}

export interface HandlesDependencies {
  readonly core: Pick<SigningCore, 'db' | 'clock' | 'people'>
  readonly lendings: Pick<Lendings, 'exchange'>
}

export function createHandles({ core, lendings }: HandlesDependencies): Handles {
  const { db, clock, people } = core
  const after = (seconds: number) => new Date(clock.now().getTime() + seconds * 1000)
  const tooMany = () => new Problem(SIGNATURE_PROBLEMS.tooManyActivations, { retryAfterSeconds: NUMBER_SECONDS })

  return {
    number: (parties) =>
      db.transaction(async (tx) => {
        await lockHandles(tx, parties)
        if ((await countHandles(tx, parties, clock.now())).numbers >= MOST_NUMBERS) throw tooMany()
        const challenge = newNumber()
        await insertNumber(tx, parties, { askId: randomUUID(), challenge, now: clock.now(), expiresAt: after(NUMBER_SECONDS) })
        return challenge
      }),
    async ask({ documents, redirectUri, challenge: named, ...parties }) {
      await entitledSigner(core, parties.accountId)
      const { clientId, accountId, credentialId } = parties
      const [handle, now, expiresAt] = [newSecret(), clock.now(), after(REQUEST_SECONDS)]
      return db.transaction(async (tx) => {
        await lockHandles(tx, parties)
        if ((await countHandles(tx, parties, now)).requests >= MOST_REQUESTS) throw tooMany()
        const found = (await findNumber(tx, parties, named, now)) ?? (named === undefined ? { askId: randomUUID(), challenge: newNumber(), isNew: true } : undefined)
        if (!found) return undefined
        if ('isNew' in found) await insertNumber(tx, parties, { ...found, now, expiresAt })
        await setHandle(tx, found.askId, { handleHash: hashOf(handle), publicKey: publicKeyOf(handle), expiresAt })
        const content = { kind: 'hashes' as const, credentialId, documents: [...documents] }
        await insertAsk(tx, { id: found.askId, clientId, accountId, redirectUri, state: undefined, codeChallenge: undefined, content, activationId: undefined, expiresAt, waiting: undefined }, now)
        await people.tell(tx, accountId, 'asked')
        return { handle: handle.toString('base64url'), challenge: found.challenge }
      })
    },
    async collect(text, parties) {
      const handle = secretOf(text)
      const found = await db.transaction(async (tx) => {
        const row = await lockHandle(tx, hashOf(handle), parties, clock.now())
        // Given out once: what was asked for again in the meantime finds nothing, and takes nothing away.
        if (row?.answer) await forgetHandle(tx, row.askId)
        return row
      })
      if (!found) return undefined
      if (found.isRefused) return { state: 'refused' }
      if (!found.answer) return { state: 'waiting' }
      const code = openByHandle(handle, found.answer, found.askId).toString('base64url')
      const lent = await lendings.exchange({ code, clientId: parties.clientId, redirectUri: HANDLE_WAY })
      return lent && { state: 'answered', ...lent }
    },
  }
}

/** Four digits: enough to tell two requests apart. */
const newNumber = () => String(randomInt(10_000)).padStart(4, '0')
