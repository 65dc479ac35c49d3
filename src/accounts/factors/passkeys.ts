import { randomUUID } from 'node:crypto'
import type { PublicKeyCredentialCreationOptionsJSON, PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/server'
import { Problem } from '../../platform/problem.ts'
import { type AccountId, displayName } from '../account.ts'
import { noteCredentialChange } from '../account.store.ts'
import { asChanger, type Changer, changing, checkMayChange, type CheckMayChange } from '../change-guard.ts'
import { citizen, type Core, SYSTEM, type Tools } from '../core.ts'
import { maskCpf } from '../identity/cpf.ts'
import { ACCOUNTS_PROBLEMS } from '../problems.ts'
import { isSeal, passkeySeal } from '../sessions/proof-seal.ts'
import { authenticationResponse, registrationResponse } from './passkey-response.ts'
import { findPasskey, insertPasskey, listPasskeys, type Passkey, removePasskey, usePasskey } from './passkey.store.ts'

/** Loaded when first needed: with its certificate readers it is a fifth of the time to load the whole program. */
const webAuthn = () => import('@simplewebauthn/server')

const CEREMONY_SECONDS = 300
/** EdDSA, ES256 and RS256 (COSE numbers): what authenticators have; the library would add an experimental one. */
const ALGORITHMS = [-8, -7, -257]
const REGISTRATION = 'passkey-registration'
const AUTHENTICATION = 'passkey-authentication'

/** One run of a ceremony; its challenge works once. `id` travels with the answer. */
export interface Ceremony<Options> {
  readonly id: string
  readonly options: Options
}

/** A passkey that has just proved its owner: user present and verified, hence aal2 by itself. */
export interface PasskeyProof {
  readonly passkeyId: string
  readonly accountId: AccountId
  readonly amr: readonly string[]
}

/** Passkeys: discoverable credentials with user verification (WebAuthn 3). */
export interface Passkeys {
  list(accountId: AccountId): Promise<Passkey[]>
  startRegistration(changer: Changer): Promise<Ceremony<PublicKeyCredentialCreationOptionsJSON>>
  /** @throws {Problem} accounts/passkey-refused and what a change may meet. */
  finishRegistration(changer: Changer, presented: { ceremonyId: string; response: unknown; label: string }): Promise<Passkey>
  /** Without an account any discoverable passkey of this site may answer; `binding` ties the challenge to the browser. */
  startAuthentication(asked: { accountId?: AccountId | undefined; binding: string }): Promise<Ceremony<PublicKeyCredentialRequestOptionsJSON>>
  /** The proof, or `undefined` for anything that does not verify; the challenge is used up either way. */
  finishAuthentication(presented: {
    ceremonyId: string
    binding: string
    response: unknown
    accountId?: AccountId | undefined
  }): Promise<PasskeyProof | undefined>
  /** @throws {Problem} accounts/unknown-factor and what a change may meet. */
  remove(changer: Changer, passkeyId: string): Promise<void>
}

export function createPasskeys(core: Core, { tokens, notices }: Pick<Tools, 'tokens' | 'notices'>, checkChange: CheckMayChange = checkMayChange): Passkeys {
  const { db, clock, audit, settings } = core
  const { origin, hostname: rpID } = new URL(settings.publicUrl)

  /** The challenge of a ceremony, used up by looking. */
  async function takeChallenge(from: { kind: string; id: string; binding: string }, accountId: AccountId | undefined): Promise<string | undefined> {
    const token = await tokens.find(from)
    if (token === undefined || token.accountId !== accountId) return undefined
    return (await tokens.consume(db, from.id)) ? token.payload : undefined
  }

  async function verifyRegistration(accountId: AccountId, presented: Parameters<Passkeys['finishRegistration']>[1]): Promise<Passkey> {
    const parsed = registrationResponse.safeParse(presented.response)
    const from = { kind: REGISTRATION, id: presented.ceremonyId, binding: accountId }
    const challenge = parsed.success ? await takeChallenge(from, accountId) : undefined
    if (!parsed.success || challenge === undefined) throw new Problem(ACCOUNTS_PROBLEMS.passkeyRefused)
    const { authenticatorAttachment, ...response } = parsed.data
    const verified = await (await webAuthn()).verifyRegistrationResponse({
      response: { ...response, ...(authenticatorAttachment && { authenticatorAttachment }) },
      expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rpID, requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    }).catch((cause: unknown) => {
      throw new Problem(ACCOUNTS_PROBLEMS.passkeyRefused, { cause })
    })
    if (!verified.verified) throw new Problem(ACCOUNTS_PROBLEMS.passkeyRefused)
    const { credential, credentialBackedUp } = verified.registrationInfo
    const key = { accountId, credentialId: Buffer.from(credential.id, 'base64url'), publicKey: Buffer.from(credential.publicKey) }
    return {
      ...key, id: randomUUID(), seal: passkeySeal(core.keyring, key),
      counter: credential.counter, transports: response.response.transports, isBackedUp: credentialBackedUp,
      label: cleanLabel(presented.label), createdAt: clock.now(), lastUsedAt: undefined,
    }
  }

  async function verifyAuthentication(passkey: Passkey, challenge: string, parsed: ParsedAuthentication) {
    const { authenticatorAttachment, response, ...rest } = parsed
    const { userHandle, ...signed } = response
    const result = await (await webAuthn()).verifyAuthenticationResponse({
      response: {
        ...rest, response: { ...signed, ...(userHandle !== undefined && { userHandle }) }, ...(authenticatorAttachment && { authenticatorAttachment }),
      },
      expectedChallenge: challenge, expectedOrigin: origin, expectedRPID: rpID, requireUserVerification: true,
      // The counter is judged by our own compare-and-set; the library's check would throw before it.
      credential: { id: passkey.credentialId.toString('base64url'), publicKey: new Uint8Array(passkey.publicKey), counter: 0 },
    }).catch(() => undefined)
    return result?.verified === true ? result.authenticationInfo : undefined
  }

  return {
    list: (accountId) => listPasskeys(db, accountId),
    async startRegistration(changer) {
      const account = await asChanger(core, changer, async (_tx, found) => found, checkChange)
      const known = await listPasskeys(db, account.id)
      const owner = account.citizen.reveal()
      const options = await (await webAuthn()).generateRegistrationOptions({
        rpName: settings.serviceName, rpID, userName: maskCpf(owner.cpf), userDisplayName: displayName(owner),
        userID: new TextEncoder().encode(account.id), attestationType: 'none', supportedAlgorithmIDs: ALGORITHMS,
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        excludeCredentials: known.map(toDescriptor),
      })
      const { id } = await tokens.create(db, {
        kind: REGISTRATION, ttlSeconds: CEREMONY_SECONDS, accountId: account.id, binding: account.id, payload: options.challenge,
      })
      return { id, options }
    },
    async finishRegistration(changer, presented) {
      const passkey = await verifyRegistration(changer.accountId, presented)
      await changing(core, changer, async (tx, account) => {
        if (!(await insertPasskey(tx, passkey))) throw new Problem(ACCOUNTS_PROBLEMS.passkeyRefused)
        await noteCredentialChange(tx, account.id, clock.now())
        const data = { passkeyId: passkey.id }
        await audit.record(tx, { type: 'accounts/passkey-added', actor: citizen(account.id), subject: account.id, data })
        await notices.tell(tx, account, 'passkey-added', { label: passkey.label })
      }, checkChange)
      return passkey
    },
    async startAuthentication({ accountId, binding }) {
      const known = accountId === undefined ? [] : await listPasskeys(db, accountId)
      const options = await (await webAuthn()).generateAuthenticationOptions({
        rpID, userVerification: 'required',
        allowCredentials: known.map(toDescriptor),
      })
      const payload = options.challenge
      const { id } = await tokens.create(db, { kind: AUTHENTICATION, ttlSeconds: CEREMONY_SECONDS, accountId, binding, payload })
      return { id, options }
    },
    async finishAuthentication({ ceremonyId, binding, response, accountId }) {
      const challenge = await takeChallenge({ kind: AUTHENTICATION, id: ceremonyId, binding }, accountId)
      const parsed = authenticationResponse.safeParse(response)
      if (challenge === undefined || !parsed.success) return undefined
      const passkey = await findPasskey(db, Buffer.from(parsed.data.id, 'base64url'))
      if (passkey === undefined || (accountId !== undefined && passkey.accountId !== accountId)) return undefined
      // A key that somebody wrote into the table is no way in.
      if (!isSeal(passkey.seal, passkeySeal(core.keyring, passkey))) return undefined
      const info = await verifyAuthentication(passkey, challenge, parsed.data)
      if (info === undefined) return undefined
      const { newCounter: counter, credentialBackedUp: isBackedUp } = info
      if (!(await usePasskey(db, passkey.id, { counter, isBackedUp, now: clock.now() }))) {
        const data = { passkeyId: passkey.id }
        await audit.record(db, { type: 'accounts/passkey-suspect', actor: SYSTEM, subject: passkey.accountId, data })
        return undefined
      }
      return { passkeyId: passkey.id, accountId: passkey.accountId, amr: ['pop', 'user', 'mfa', isBackedUp ? 'swk' : 'hwk'] }
    },
    remove: (changer, passkeyId) =>
      changing(core, changer, async (tx, account) => {
        if (!(await removePasskey(tx, account.id, passkeyId, clock.now()))) throw new Problem(ACCOUNTS_PROBLEMS.unknownFactor)
        await noteCredentialChange(tx, account.id, clock.now())
        await audit.record(tx, { type: 'accounts/passkey-removed', actor: citizen(account.id), subject: account.id, data: { passkeyId } })
        await notices.tellEverywhere(tx, account, 'passkey-removed')
      }, checkChange),
  }
}

type ParsedAuthentication = (typeof authenticationResponse)['_output']

function toDescriptor({ credentialId, transports }: Passkey): { id: string; transports: string[] } {
  return { id: credentialId.toString('base64url'), transports: [...transports] }
}

/** The citizen's own name for it, printable and short. */
function cleanLabel(label: string): string {
  const clean = label.normalize('NFC').replace(/\p{C}/gu, '').replace(/\s+/g, ' ').trim()
  return [...clean].slice(0, 60).join('') || 'Passkey'
}
