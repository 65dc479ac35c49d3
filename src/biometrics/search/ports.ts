import type { ImagePorts } from '../images/image-store.ts'
import type { FaceSearch, SearchState } from './face-search.ts'
import type { SearchFault } from './vector.store.ts'

/** What the image store calls so that the search follows it, in the same transaction. */
export function createFacePorts(search: () => FaceSearch): Required<Pick<ImagePorts, 'onFaceStored' | 'onFaceRemoved' | 'onPersonErased'>> {
  return {
    onFaceStored: (tx, { personId, imageId, modelId, k, descriptor }) => search().add(tx, { personId, imageId, template: { modelId, k, descriptor } }),
    onFaceRemoved: (tx, { imageId }) => search().remove(tx, imageId),
    onPersonErased: (tx, personId) => search().removePerson(tx, personId),
  }
}

const FAULTS: Readonly<Record<SearchFault, string>> = {
  'extension-missing': 'the database server has no pgvector extension',
  'extension-not-allowed': 'pgvector is installed, and an administrator must run CREATE EXTENSION vector in this database',
  'extension-too-old': 'pgvector is older than 0.5',
}

/** One line for the log and the health page. */
export function describeFaceSearch(state: SearchState): string {
  return state.on ? 'face search 1:N: on' : `face search 1:N: off (${FAULTS[state.fault]}); nothing else depends on it`
}
