import type { ArtifactStore } from './artifact.ts'

export function createRedisArtifactStore(): ArtifactStore {
  throw new Error('not yet')
}
