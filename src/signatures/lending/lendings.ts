import { Problem } from '../../platform/problem.ts'
import type { Activations } from '../activation/activations.ts'
import { citizenActor, entitledSigner, type SigningCore } from '../activation/core.ts'
import type { LentItem } from './lent-item.ts'
import type { SigningThread } from '../activation/signing-thread.ts'
import { algorithmOfKey, type Signer } from '../authority/signer.ts'
import { parseCertificate } from '../authority/certificate.ts'
import { SIGNATURE_PROBLEMS } from '../problems.ts'
import { CODE_SECONDS, hashOf, isVerified, newSecret, secretOf } from './one-use-secret.ts'
import { findByToken, forgetLending, forgetLendingsOf, insertLending, type Lending, lockByCode, lockByToken, purgeLendings, setToken, takeUses } from './lending.store.ts'

/** In place of an address: the answer waits here for the holder of a handle, as long as the key is lent. */
export const HANDLE_WAY = 'urn:mt-login:handle'

/** The client's request that a citizen agreed to. */
export interface LendingRequest {
  /** Life of the key, from the proof on; at most ten minutes. */
  readonly seconds: number
  readonly redirectUri: string
  /** `code_challenge` (S256) of a client that sent one. */
  readonly codeChallenge: string | undefined
}

/** A signer for what a client's token still permits. */
export interface LentSigner {
  readonly certificates: readonly [Buffer, Buffer]
  readonly serial: string
  /** As `signCms` takes it, for open signatures. */
  readonly signer: Signer
  /** What the citizen agreed to by its hash, each once. @throws {Problem} signatures/not-the-documents */
  sign(items: readonly LentItem[]): Promise<Buffer[]>
}

/** Keys that citizens lend to relying parties: a code for the client, a token for the code, signatures for the token. */
export interface Lendings {
  /**
   * The citizen's proof becomes a code for the client.
   *
   * @throws {Problem} what `Activations.confirm` throws; signatures/not-the-documents for an activation of no client
   */
  lend(proof: { id: string; idToken: string; password?: string | undefined }, request: LendingRequest): Promise<{ code: string }>
  /** One token for a code, once; whoever shows the code again takes the token away. Undefined for what is no code of this client. */
  exchange(presented: { code: string; clientId: string; redirectUri: string; verifier?: string | undefined }): Promise<{ token: string; secondsLeft: number } | undefined>
  /** What a token permits now. */
  find(token: string): Promise<Lending | undefined>
  /** Takes so many uses of the token, all at once or none. @throws {Problem} signatures/activation-over, signatures/not-entitled, signatures/mandate-refused */
  take(token: string, count: number | 'all'): Promise<LentSigner>
  /** Ends whatever an account lent, as after «não fui eu». */
  end(accountId: string): Promise<number>
  endToken(token: string): Promise<void>
  purge(): Promise<number>
}

export interface LendingDependencies {
  readonly core: SigningCore
  readonly thread: Pick<SigningThread, 'relend' | 'signLent'>
  readonly activations: Pick<Activations, 'lend'>
}

export function createLendings({ core, thread, activations }: LendingDependencies): Lendings {
  const { db, clock } = core
  return {
    async lend(proof, { seconds, redirectUri, codeChallenge }) {
      const code = newSecret()
      const expiresAt = new Date(clock.now().getTime() + seconds * 1000)
      const { terms, serial, wrapped } = await activations.lend({ ...proof, secret: code, expiresAt })
      const uses = terms.allows.kind === 'open' ? terms.allows.count : terms.allows.digests.length
      await db.transaction(async (tx) => {
        await insertLending(tx, { terms, serial, wrapped, codeHash: hashOf(code), redirectUri, codeChallenge, uses }, clock.now())
        await core.people.tell(tx, terms.accountId, 'lent')
      })
      return { code: code.toString('base64url') }
    },
    exchange: (presented) => exchange({ core, thread }, presented),
    find: (token) => findByToken(db, hashOf(secretOf(token)), clock.now()),
    take: (token, count) => take({ core, thread }, token, count),
    end: (accountId) => forgetLendingsOf(db, accountId),
    async endToken(token) {
      const found = await findByToken(db, hashOf(secretOf(token)), clock.now())
      if (found) await forgetLending(db, found.terms.activationId)
    },
    purge: () => purgeLendings(db, clock.now()),
  }
}

type Parts = Pick<LendingDependencies, 'core' | 'thread'>

async function exchange({ core: { db, clock }, thread }: Parts, { code, clientId, redirectUri, verifier }: Parameters<Lendings['exchange']>[0]): ReturnType<Lendings['exchange']> {
  const secret = secretOf(code)
  const now = clock.now()
  return db.transaction(async (tx) => {
    const found = await lockByCode(tx, hashOf(secret), now)
    if (!found || found.terms.clientId !== clientId) return undefined
    const isInTime = found.redirectUri === HANDLE_WAY || now.getTime() <= found.createdAt.getTime() + CODE_SECONDS * 1000
    const isRight = !found.isExchanged && found.redirectUri === redirectUri && isVerified(found.codeChallenge, verifier) && isInTime
    // A code that comes twice, or with another address or verifier, was stolen (RFC 6749, 4.1.2 and 10.5).
    if (!isRight) {
      await forgetLending(tx, found.terms.activationId)
      return undefined
    }
    const token = newSecret()
    const wrapped = await thread.relend({ wrapped: found.wrapped, secret, terms: found.terms, next: token }, now)
    await setToken(tx, found.terms.activationId, { tokenHash: hashOf(token), wrapped })
    return { token: token.toString('base64url'), secondsLeft: Math.floor((found.terms.expiresAt.getTime() - now.getTime()) / 1000) }
  })
}

async function take({ core, thread }: Parts, token: string, count: number | 'all'): Promise<LentSigner> {
  const { db, clock } = core
  const secret = secretOf(token)
  const seen = await findByToken(db, hashOf(secret), clock.now())
  if (!seen) throw new Problem(SIGNATURE_PROBLEMS.activationOver)
  await entitledSigner(core, seen.terms.accountId)
  // The certificate is revoked in the background: a mandate or a post that has ended lends nothing in between.
  if (seen.represents && !(await core.people.stillRepresents(seen.terms.accountId, seen.represents))) throw new Problem(SIGNATURE_PROBLEMS.mandateRefused)
  const lending = await db.transaction(async (tx) => {
    const found = await lockByToken(tx, hashOf(secret), clock.now())
    if (!found || found.usesLeft < (count === 'all' ? 1 : count)) throw new Problem(SIGNATURE_PROBLEMS.activationOver)
    await takeUses(tx, found.terms.activationId, count === 'all' ? found.usesLeft : count)
    return found
  })
  return createLentSigner({ core, thread }, lending, secret)
}

function createLentSigner({ core: { db, clock, audit }, thread }: Parts, { terms, wrapped, serial, certificates }: Lending, secret: Buffer): LentSigner {
  const { spki } = parseCertificate(certificates[0])

  /** The record is written before anybody gets the signature: there is none that the ledger does not know. */
  async function sign(items: readonly LentItem[]): Promise<Buffer[]> {
    const { signatures, digests } = await thread.signLent({ wrapped, secret, terms }, items, clock.now())
    const { activationId, accountId, clientId } = terms
    await audit.record(db, {
      type: 'signatures/signed', actor: citizenActor(accountId), subject: accountId, clientId, data: { activationId, serial, digests: [...digests] },
    })
    return signatures
  }

  return {
    certificates,
    serial,
    signer: {
      spki,
      ...algorithmOfKey(spki),
      async sign(bytes) {
        const [signature] = await sign([{ kind: 'attributes', attributes: bytes }])
        if (!signature) throw new Error('the signing thread gave no signature')
        return signature
      },
    },
    sign,
  }
}
