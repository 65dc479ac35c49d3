/**
 * The only file that reaches into `oidc-provider` where its public interface ends, and why each reach is needed.
 *
 * Each function names the member it depends on; test/oidc/internals.test.ts fails when an update of the package moves one.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type ClientInstance, type JsonObject, Provider, type ProviderContext, type TokenInstance } from 'oidc-provider'
import addClient from 'oidc-provider/lib/helpers/add_client.js'
import initializeKeystore from 'oidc-provider/lib/helpers/initialize_keystore.js'
import instance from 'oidc-provider/lib/helpers/weak_cache.js'
import type { HttpContext } from '../platform/http/request-facts.ts'
import { createCookieSigner } from './keys/cookie-signer.ts'

/**
 * Replaces the provider's keys while it runs: the next token is signed with, and the next key set shows, the new ones.
 *
 * Depends on `initialize_keystore` setting `keystore` and `jwks` of the instance; `keys` is koa's own list of cookie keys.
 */
export function replaceKeys(provider: Provider, keys: { jwks: readonly JsonObject[]; cookieKeys: readonly string[] }): void {
  initializeKeystore.call(provider, { keys: keys.jwks })
  provider.keys = createCookieSigner(keys.cookieKeys)
}

/** Which client is being built, so that what its construction fetches is fetched under that client's rules. */
const building = new AsyncLocalStorage<string>()

/** The client on whose behalf the provider runs this code, if any. */
export function currentClientId(): string | undefined {
  return building.getStore() ?? Provider.ctx?.oidc?.client?.clientId
}

/** Runs `work` on behalf of a client. */
export function onBehalfOf<T>(clientId: string, work: () => Promise<T>): Promise<T> {
  return building.run(clientId, work)
}

export interface ClientSource {
  /** Registered metadata of a usable client, the same object for as long as nothing changed. */
  find(id: string): Promise<object | undefined>
  metadataOf(client: object): JsonObject
  /** Told which provider object stands for a client. */
  built(client: ClientInstance, record: object): void
  isSecret(clientId: string, secret: string): Promise<boolean>
}

/**
 * Lets the provider take clients from our cache and compare secrets with their keyed hash.
 *
 * The stock `Client.find` asks the adapter for the metadata and hashes them for its own cache at every use, and `compareClientSecret`
 * compares with a secret in plain text. Both are looked up on the class and its prototype at each call, so they can be replaced.
 */
export function useClientSource(provider: Provider, source: ClientSource): void {
  const built = new WeakMap<object, Promise<ClientInstance>>()
  const build = (id: string, record: object) =>
    onBehalfOf(id, async () => {
      const client = await addClient(provider, source.metadataOf(record))
      // The stand-in that the schema demands must not appear in answers.
      if (client.clientSecret !== undefined) Object.defineProperty(client, 'clientSecret', { enumerable: false })
      source.built(client, record)
      return client
    })
  provider.Client.find = async (id) => {
    if (typeof id !== 'string' || id === '') return undefined
    const record = await source.find(id)
    if (!record) return undefined
    const client = built.get(record) ?? build(id, record)
    built.set(record, client)
    return client.catch((error: unknown) => {
      built.delete(record)
      throw error
    })
  }
  provider.Client.prototype.compareClientSecret = function compareClientSecret(actual) {
    return source.isSecret(this.clientId, actual)
  }
}

/** Puts `work` in the place of a client's own delivery of a logout token; gets the original to call later. */
export function useLogoutDelivery(
  provider: Provider,
  work: (client: ClientInstance, accountId: string, sid: string | undefined) => Promise<void>,
): (client: ClientInstance, accountId: string, sid: string | undefined) => Promise<void> {
  const original = provider.Client.prototype.backchannelLogout
  provider.Client.prototype.backchannelLogout = function backchannelLogout(accountId, sid) {
    return work(this, accountId, sid)
  }
  return (client, accountId, sid) => original.call(client, accountId, sid)
}

/** One statement instead of a look-up and a write, between which a parallel request could slip (`ReplayDetection.unique`). */
export function useReplayDetection(provider: Provider, unique: (issuer: string, jti: string, exp: number) => Promise<boolean>): void {
  provider.ReplayDetection.unique = unique
}

/** Makes `conformIdTokenClaims` a matter of each client: it is read from the configuration whenever an ID token is made. */
export function useConformity(provider: Provider, isConform: (client: ClientInstance) => boolean): void {
  Object.defineProperty(instance(provider).configuration, 'conformIdTokenClaims', {
    get: () => {
      const client = Provider.ctx?.oidc?.client
      return client ? isConform(client) : true
    },
  })
}

/**
 * Gives tokens a prefix by kind, so that introspection and revocation, which ask for a token under every kind, are spared two look-ups of
 * three, and secret scanners know a leaked one (`generateTokenId` is called once for each new token).
 */
export function useTokenPrefixes(provider: Provider, prefixes: ReadonlyMap<string, string>): void {
  for (const model of [provider.AccessToken, provider.RefreshToken, provider.ClientCredentials]) {
    const original = model.prototype.generateTokenId
    const prefix = prefixes.get(model.name) ?? ''
    model.prototype.generateTokenId = function generateTokenId() {
      const id = original.call(this)
      return this.format === 'jwt' ? id : prefix + id
    }
  }
}

/**
 * Removes a session's old id and stores it under its new one at the same time instead of one after the other
 * (`Session.save` with `oldId` set by `resetIdentifier`).
 */
export function useParallelSessionSave(provider: Provider): void {
  const original = provider.Session.prototype.save
  provider.Session.prototype.save = async function save(ttl) {
    const { oldId } = this
    if (oldId === undefined) return original.call(this, ttl)
    delete this.oldId
    const [saved] = await Promise.all([original.call(this, ttl), this.adapter.destroy(oldId)])
    return saved
  }
}

/** Puts `around` about a grant's handler (the map `grantTypeHandlers` is read at each token request). */
export function wrapGrant(
  provider: Provider,
  grantType: string,
  around: (ctx: ProviderContext, handle: () => Promise<void>) => Promise<void>,
): void {
  const handlers = instance(provider).grantTypeHandlers
  const original = handlers.get(grantType)
  if (!original) throw new Error(`no grant ${grantType}`)
  handlers.set(grantType, (ctx) => around(ctx, () => original(ctx)))
}

/** Makes an access token one for an API (`ResourceServer`, which the provider's grants build the same way). */
export function bindToResource(provider: Provider, token: TokenInstance, indicator: string, info: JsonObject): void {
  Reflect.set(token, 'resourceServer', new provider.ResourceServer(indicator, info))
}

/** The provider is a koa application of its own; its context is koa's, whatever the package's (absent) types say. */
export function koaContext(ctx: ProviderContext): HttpContext {
  return ctx as unknown as HttpContext
}
