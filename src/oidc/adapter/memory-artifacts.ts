import type { Clock } from '../../platform/clock.ts'
import type { ArtifactStore, FoundArtifact, NewArtifact } from './artifact.ts'

interface Kept {
  readonly artifact: NewArtifact
  readonly text: string
  consumedAt?: Date
}

/**
 * The store in this process's memory, for tests and as the bench's floor; it forgets everything at its end.
 *
 * Payloads are kept as text, so that it copies as every other store does.
 */
export function createMemoryArtifactStore({ clock }: { clock: Clock }): ArtifactStore {
  const kept = new Map<string, Kept>()
  const keyOf = (model: string, id: string) => `${model}:${id}`
  const isLive = ({ artifact }: Kept) => artifact.expiresAt === undefined || artifact.expiresAt > clock.now()
  const live = () => [...kept.values()].filter(isLive)
  const found = (item: Kept | undefined): FoundArtifact | undefined =>
    item && isLive(item) ? { payload: JSON.parse(item.text), ...(item.consumedAt && { consumedAt: item.consumedAt }) } : undefined
  const put = (artifact: NewArtifact) => {
    const before = kept.get(keyOf(artifact.model, artifact.id))
    const text = JSON.stringify(artifact.payload)
    kept.set(keyOf(artifact.model, artifact.id), { artifact, text, ...(before?.consumedAt && { consumedAt: before.consumedAt }) })
  }
  const having = (model: string, name: string, value: string) =>
    live().find(({ artifact }) => artifact.model === model && artifact.payload[name] === value)

  return {
    upsert: async (artifact) => put(artifact),
    async insertOnce(artifact) {
      if (found(kept.get(keyOf(artifact.model, artifact.id)))) return false
      put(artifact)
      return true
    },
    find: async (model, id) => found(kept.get(keyOf(model, id))),
    findByUid: async (uid) => found(having('Session', 'uid', uid)),
    findByUserCode: async (userCode) => found(having('DeviceCode', 'userCode', userCode)),
    async consume(model, id) {
      const item = kept.get(keyOf(model, id))
      if (!item || !isLive(item) || item.consumedAt) return false
      item.consumedAt = clock.now()
      return true
    },
    destroy: async (model, id) => void kept.delete(keyOf(model, id)),
    async revokeByGrantId(model, grantId) {
      for (const [key, { artifact }] of kept) if (artifact.model === model && artifact.payload['grantId'] === grantId) kept.delete(key)
    },
    sessionsOf: async (accountId) =>
      live()
        .filter(({ artifact }) => artifact.model === 'Session' && artifact.payload['accountId'] === accountId)
        .map(({ artifact, text }) => ({ id: artifact.id, payload: JSON.parse(text) })),
    grantsOf: async (accountId, clientId) =>
      live()
        .filter(
          ({ artifact: { model, payload } }) =>
            model === 'Grant' && payload['accountId'] === accountId && (clientId === undefined || payload['clientId'] === clientId),
        )
        .map(({ artifact: { id, payload } }) => ({
          id,
          clientId: String(payload['clientId']),
          issuedAt: typeof payload['iat'] === 'number' ? payload['iat'] : undefined,
        })),
    async purge() {
      const dead = [...kept].filter(([, item]) => !isLive(item))
      for (const [key] of dead) kept.delete(key)
      return dead.length
    },
  }
}
