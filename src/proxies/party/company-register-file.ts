import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { type Cpf, parseCnpj, parseCpf } from '../../accounts/index.ts'
import type { CompanyRecord, CompanyRegister, Establishment } from './company-register.ts'
import { type CnpjRoot, rootOf, STANDINGS } from './party.ts'

/** Qualifications of the QSA that bind the company; a plain partner (`sócio`) is none of them. */
const BINDING = new Set(['administrador', 'sócio-administrador', 'diretor', 'presidente', 'empresário'])

/** A place does not die. */
const PLACE_STANDINGS = STANDINGS.filter((standing) => standing !== 'deceased')

const company = z.strictObject({
  cnpj: z.string(),
  name: z.string().min(1),
  standing: z.enum(STANDINGS).default('regular'),
  /** How many administrators must act together. */
  quorum: z.int().min(1).max(10).default(1),
  /** Places besides the head office, each with its own CNPJ of the same root. */
  establishments: z.array(z.strictObject({ cnpj: z.string(), name: z.string().min(1), standing: z.enum(PLACE_STANDINGS).default('regular') })).default([]),
  qsa: z.array(z.strictObject({ cpf: z.string(), qualification: z.string() })),
})

/**
 * A register in a JSON array, for demonstrations and tests; it is kept whole.
 * @throws {Error} naming the position of the first faulty entry, never its text.
 */
export async function openCompanyRegisterFile(path: string): Promise<CompanyRegister> {
  const parsed: unknown = JSON.parse(await readFile(path, 'utf8'))
  if (!Array.isArray(parsed)) throw new Error('the company register must be a JSON array')
  return companyRegisterOf(parsed.map(toRecord))
}

function toRecord(entry: unknown, position: number): CompanyRecord {
  const read = company.safeParse(entry)
  const cnpj = read.success ? parseCnpj(read.data.cnpj) : undefined
  const partners = read.success ? read.data.qsa.map((one) => ({ ...one, cpf: parseCpf(one.cpf) })) : []
  const establishments = read.success && cnpj !== undefined ? read.data.establishments.map((one) => toEstablishment(one, cnpj)) : []
  const numbers = new Set([cnpj, ...establishments.map((one) => one?.cnpj)])
  const isWhole = !establishments.includes(undefined) && numbers.size === establishments.length + 1
  if (!read.success || cnpj === undefined || !isWhole || partners.some(({ cpf }) => cpf === undefined)) {
    throw new Error(`the company register has a faulty entry at position ${position}`)
  }
  const administrators = partners.filter(({ qualification }) => BINDING.has(qualification.toLowerCase())).flatMap(({ cpf }) => cpf ?? [])
  const { name, standing, quorum } = read.data
  return { root: rootOf(cnpj), cnpj, name, standing, quorum, administrators, establishments: establishments.flatMap((one) => one ?? []), source: 'file' }
}

function toEstablishment({ cnpj: text, ...about }: Omit<Establishment, 'cnpj'> & { readonly cnpj: string }, head: string): Establishment | undefined {
  const cnpj = parseCnpj(text)
  return cnpj !== undefined && rootOf(cnpj) === rootOf(head) ? { ...about, cnpj } : undefined
}

/** A register over records at hand. */
export function companyRegisterOf(records: readonly CompanyRecord[]): CompanyRegister {
  const byRoot = new Map<CnpjRoot, CompanyRecord>(records.map((record) => [record.root, record]))
  return {
    find: async (root) => byRoot.get(root),
    findByAdministrator: async (cpf: Cpf) => records.filter(({ administrators }) => administrators.includes(cpf)),
  }
}
