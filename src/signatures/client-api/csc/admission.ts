import { readCredentials } from '../../../platform/http/credentials.ts'
import { type HttpContext, requestFacts } from '../../../platform/http/request-facts.ts'
import type { Credential } from '../../credentials/credential.ts'
import type { Lending } from '../../lending/lending.store.ts'
import type { SigningApiDependencies } from '../govbr.routes.ts'
import type { SigningClient } from '../signing-clients.ts'
import { LONGEST_TOKEN } from '../token-request.ts'
import { SIGN_ALGORITHMS } from './contract.ts'
import { invalid, invalidParameter, invalidToken } from './refusal.ts'

/** The standard shows a SAD under its own name, too. */
const bearerOf = (ctx: HttpContext) => readCredentials(ctx, ['Bearer', 'SAD'], LONGEST_TOKEN)?.token ?? ''

/** A client that the citizen lets see their certificates. */
export interface ServiceCall {
  readonly accountId: string
  readonly client: SigningClient
}

/** Whose certificates the token shows: its client may still, and its citizen's account stands. @throws {Refusal} */
export async function admitService(deps: SigningApiDependencies, ctx: HttpContext): Promise<ServiceCall> {
  const call = await callerOf(deps, ctx)
  await deps.claims.call(ctx, call.client)
  return call
}

async function callerOf({ signing, clients, claims, people }: SigningApiDependencies, ctx: HttpContext): Promise<ServiceCall> {
  const grant = await signing.asks.findService(bearerOf(ctx))
  const client = grant && (await clients.find(grant.clientId, 'csc'))
  const signer = grant && (await people.findSigner(grant.accountId))
  if (!grant || !client || signer?.status !== 'active') {
    claims.address(requestFacts(ctx).ip)
    throw invalidToken()
  }
  return { accountId: grant.accountId, client }
}

/** Before a body is read: some token that is good for something, of a client that may call once more. @throws {Refusal | Problem} */
export async function admitCaller({ signing, clients, claims }: SigningApiDependencies, ctx: HttpContext): Promise<SigningClient> {
  const token = bearerOf(ctx)
  const clientId = token === '' ? undefined : ((await signing.lendings.find(token))?.terms.clientId ?? (await signing.asks.findService(token))?.clientId)
  const client = clientId === undefined ? undefined : await clients.find(clientId, 'csc')
  if (!client) {
    claims.address(requestFacts(ctx).ip)
    throw invalidToken()
  }
  await claims.call(ctx, client)
  return client
}

/** A SAD that its client shows for the certificate that it is for; nothing of it is used yet. */
export interface SigningCall {
  readonly token: string
  readonly client: SigningClient
  readonly lending: Lending
  readonly credential: Credential
  /** SHA-256 (hexadecimal) of what the citizen agreed to. */
  readonly allowed: readonly string[]
}

/** The SAD of a request for signatures that `admitCaller` let in, in its body or as the access token. @throws {Refusal} */
export async function admitSad(deps: SigningApiDependencies, ctx: HttpContext, asked: { readonly credentialID: string; readonly SAD?: string | undefined }): Promise<SigningCall> {
  const { clients, claims, signing } = deps
  const token = asked.SAD ?? bearerOf(ctx)
  const lending = token === '' ? undefined : await signing.lendings.find(token)
  const client = lending?.terms.allows.kind === 'hashes' ? await clients.find(lending.terms.clientId, 'csc') : undefined
  // Beside a SAD in the body the header shows who calls: the same client, for the same citizen.
  const caller = asked.SAD === undefined ? undefined : await callerOf(deps, ctx)
  if (!lending || !client || lending.terms.allows.kind !== 'hashes' || (caller && (caller.client.id !== client.id || caller.accountId !== lending.terms.accountId))) {
    claims.address(requestFacts(ctx).ip)
    throw asked.SAD === undefined ? invalidToken() : invalidParameter('SAD')
  }
  const credential = (await signing.credentials.list(lending.terms.accountId)).find(({ serial }) => serial === lending.serial)
  if (credential?.id !== asked.credentialID || credential.state !== 'active') throw invalidParameter('credentialID')
  return { token, client, lending, credential, allowed: lending.terms.allows.digests }
}

/** @throws {Refusal} */
export function checkAlgorithm({ keyKind }: Credential, signAlgo: string): void {
  if (SIGN_ALGORITHMS[keyKind === 'P-256' ? 'ec' : 'rsa'] !== signAlgo) throw invalidParameter('signAlgo')
}

/** 32 bytes in base64, in either alphabet: the standard has the one in JSON and the other in addresses. @throws {Refusal} */
export function readHash(base64: string): Buffer {
  if (!/^[\w+/-]+={0,2}$/.test(base64)) throw invalid('Invalid Base64 hash string parameter')
  const digest = Buffer.from(base64, 'base64url')
  if (digest.length !== 32) throw invalid('Invalid digest value length')
  return digest
}
