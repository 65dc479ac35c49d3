import { randomUUID } from 'node:crypto'
import type { Represented } from '../activation/activation.ts'
import { citizenActor, type SigningCore } from '../activation/core.ts'
import type { Activations, OpenedActivation } from '../activation/activations.ts'
import type { Ask } from './ask.ts'
import { deleteAsk, findAsk, findGrantByToken, forgetGrant, forgetGrantsOf, grantAsk, insertAsk, listAsksOf, lockGrantByCode, purgeAsks, setAskActivation, setGrantToken } from './ask.store.ts'
import { sealToHandle } from './handle-box.ts'
import { forgetHandlesOf, purgeHandles, setHandleAnswer, setHandleRefused } from './handle.store.ts'
import { HANDLE_WAY, type Lendings } from './lendings.ts'
import { CODE_SECONDS, hashOf, isVerified, newSecret, secretOf } from './one-use-secret.ts'

/** A citizen may have to sign in, and to raise their level, before they answer. */
const ASK_SECONDS = 900
/** Life of an open key: as at the federal service. */
const OPEN_SECONDS = 600
/** Life of a SAD (SCAL2). */
const HASHES_SECONDS = 300
/** Life of access to the list of certificates. */
export const SERVICE_SECONDS = 3600

/** What clients ask of citizens at the signing APIs, and how it is answered. */
export interface Asks {
  begin(ask: Omit<Ask, 'id' | 'accountId' | 'activationId' | 'expiresAt' | 'waiting'>): Promise<string>
  /** One that waits for its answer. */
  find(id: string): Promise<Ask | undefined>
  /** Those that wait for an account in its area, the newest first. */
  waiting(accountId: string): Promise<Ask[]>
  /** The citizen agrees to sign: what they must prove. @throws {Problem} what `Activations.open` throws */
  agree(ask: Ask, accountId: string): Promise<OpenedActivation>
  /** The proof becomes a code for the client; none to carry where the client waits by a handle. @throws {Problem} what `Lendings.lend` throws; signatures/activation-over */
  finish(ask: Ask, proof: { idToken: string; password?: string | undefined }): Promise<{ code: string } | undefined>
  /** The citizen lets the client see their certificates; undefined when it was answered before. */
  grantService(ask: Ask, accountId: string): Promise<{ code: string } | undefined>
  /** A code for a token, once, as `Lendings.exchange`. */
  exchangeService(presented: { code: string; clientId: string; redirectUri: string; verifier?: string | undefined }): Promise<{ token: string; secondsLeft: number } | undefined>
  /** Whose certificates a token shows, and to whom. */
  findService(token: string): Promise<{ accountId: string; clientId: string } | undefined>
  endServiceToken(token: string): Promise<void>
  refuse(ask: Ask): Promise<void>
  /** Ends access of every client to an account. */
  end(accountId: string): Promise<number>
  purge(): Promise<number>
}

export interface AsksDependencies {
  readonly core: Pick<SigningCore, 'db' | 'clock' | 'audit'>
  readonly activations: Pick<Activations, 'open'>
  readonly lendings: Pick<Lendings, 'lend'>
  /** Whom a kept certificate represents. */
  readonly representedBy: (accountId: string, credentialId: string) => Promise<Represented | undefined>
}

export function createAsks({ core: { db, clock, audit }, activations, lendings, representedBy }: AsksDependencies): Asks {
  const after = (seconds: number) => new Date(clock.now().getTime() + seconds * 1000)
  return {
    async begin(asked) {
      const id = randomUUID()
      await insertAsk(db, { ...asked, id, accountId: undefined, activationId: undefined, expiresAt: after(ASK_SECONDS), waiting: undefined }, clock.now())
      return id
    },
    find: (id) => findAsk(db, id, clock.now()),
    waiting: async (accountId) => (await listAsksOf(db, accountId, clock.now())).filter(({ waiting }) => waiting),
    async agree({ id, clientId, content }, accountId) {
      const asked = activationOf(content)
      const represents = asked.credential.kind === 'kept' ? await representedBy(accountId, asked.credential.credentialId) : undefined
      const opened = await activations.open({ accountId, clientId, signatory: represents ?? { kind: 'self' }, ...asked })
      await setAskActivation(db, id, opened.id)
      return opened
    },
    async finish({ id, activationId, redirectUri, codeChallenge, content, waiting }, proof) {
      const seconds = content.kind === 'open' ? OPEN_SECONDS : HASHES_SECONDS
      const lent = await lendings.lend({ id: activationId ?? id, ...proof }, { seconds, redirectUri: waiting ? HANDLE_WAY : redirectUri, codeChallenge })
      if (waiting) await setHandleAnswer(db, id, sealToHandle(waiting.publicKey, secretOf(lent.code), id), after(seconds))
      await deleteAsk(db, id)
      return waiting ? undefined : lent
    },
    async grantService({ id, clientId }, accountId) {
      const code = newSecret()
      const isGranted = await db.transaction(async (tx) => {
        if (!(await grantAsk(tx, id, { accountId, codeHash: hashOf(code), now: clock.now(), expiresAt: after(SERVICE_SECONDS) }))) return false
        await audit.record(tx, { type: 'signatures/certificates-shown', actor: citizenActor(accountId), subject: accountId, clientId, data: { askId: id } })
        return true
      })
      return isGranted ? { code: code.toString('base64url') } : undefined
    },
    exchangeService: ({ code, clientId, redirectUri, verifier }) =>
      db.transaction(async (tx) => {
        const now = clock.now()
        const found = await lockGrantByCode(tx, hashOf(secretOf(code)), now)
        if (!found || found.ask.clientId !== clientId) return undefined
        const { ask, grantedAt, isExchanged } = found
        const isRight = !isExchanged && ask.redirectUri === redirectUri && isVerified(ask.codeChallenge, verifier) && now.getTime() <= grantedAt.getTime() + CODE_SECONDS * 1000
        // As with a lent key: whatever comes twice or otherwise was stolen.
        if (!isRight) return void (await forgetGrant(tx, ask.id))
        const token = newSecret()
        await setGrantToken(tx, ask.id, hashOf(token))
        return { token: token.toString('base64url'), secondsLeft: Math.floor((ask.expiresAt.getTime() - now.getTime()) / 1000) }
      }),
    async findService(token) {
      const found = await findGrantByToken(db, hashOf(secretOf(token)), clock.now())
      return found && { accountId: found.accountId, clientId: found.ask.clientId }
    },
    async endServiceToken(token) {
      const found = await findGrantByToken(db, hashOf(secretOf(token)), clock.now())
      if (found) await forgetGrant(db, found.ask.id)
    },
    refuse: ({ id }) => db.transaction(async (tx) => {
      if (await deleteAsk(tx, id)) await setHandleRefused(tx, id, clock.now())
    }),
    async end(accountId) {
      await forgetHandlesOf(db, accountId)
      return forgetGrantsOf(db, accountId)
    },
    async purge() {
      await purgeHandles(db, clock.now())
      return purgeAsks(db, clock.now())
    },
  }
}

function activationOf(content: Ask['content']): Pick<Parameters<Activations['open']>[0], 'credential' | 'documents' | 'open'> {
  if (content.kind === 'open') return { credential: { kind: 'one-shot' }, documents: [], open: { count: content.count } }
  if (content.kind === 'service') throw new Error('nothing is signed by access to the list of certificates')
  return {
    credential: { kind: 'kept', credentialId: content.credentialId },
    documents: content.documents.map(({ label, hash }) => ({ name: label, form: 'hash' as const, sha256: hash, digest: hash })),
  }
}
