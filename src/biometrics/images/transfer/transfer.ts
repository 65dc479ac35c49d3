import type { Cpf } from '../../../accounts/index.ts'
import { Problem } from '../../../platform/problem.ts'
import { IMAGE_PROBLEMS } from '../problems.ts'
import { exportImages, type ExportOptions } from './export.ts'
import { importImages, type ImportOptions, type ImportResult } from './import.ts'
import { findPersonByCpf } from './import.store.ts'
import type { ReceptionDependencies } from './reception.ts'

/** Images in bulk, in and out. */
export interface ImageTransfer {
  /** @throws {Problem} biometrics/archive-invalid */
  importImages(options: ImportOptions): Promise<ImportResult>
  /** @throws {Problem} biometrics/place-unsafe */
  exportImages(options: ExportOptions): Promise<{ exportId: string; people: number; images: number }>
  /** Whose CPF it is. @throws {Problem} biometrics/person-not-found */
  getPerson(cpf: Cpf): Promise<string>
}

export interface TransferDependencies extends Omit<ReceptionDependencies, 'faces' | 'register'> {
  /** Opened by an import only: an export needs neither nets nor register. */
  readonly look: () => Promise<Pick<ReceptionDependencies, 'faces' | 'register'>>
}

export function createImageTransfer({ images, store, look }: TransferDependencies): ImageTransfer {
  return {
    importImages: async (options) => importImages({ images, store, ...(await look()) }, options),
    exportImages: (options) => exportImages({ images, store }, options),
    async getPerson(cpf) {
      const personId = await findPersonByCpf(images.db, cpf)
      if (personId === undefined) throw new Problem(IMAGE_PROBLEMS.personNotFound)
      return personId
    },
  }
}
