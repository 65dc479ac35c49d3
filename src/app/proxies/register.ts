import { fileURLToPath } from 'node:url'
import type { BaseRegister } from '../../accounts/index.ts'
import type { Assurance } from '../../assurance/index.ts'
import type { Audit } from '../../audit/index.ts'
import type { Messages } from '../../platform/http/messages.ts'
import { companyRegisterOf, createNotify, createProxies, openCompanyRegisterFile, type Proxies, type SealInstrument } from '../../proxies/index.ts'
import { endRepresentations } from '../../oidc/index.ts'
import type { Foundation } from '../foundation.ts'
import { REVIEW_REPRESENTATIONS_JOB } from '../signatures/remote-signing.ts'

const DEMO_COMPANIES = fileURLToPath(new URL('../../demo/company-register.json', import.meta.url))

export interface OpenProxiesDependencies {
  readonly foundation: Foundation
  readonly audit: Audit
  readonly assurance: Assurance
  readonly register: BaseRegister
  /** The texts of instruments, and the seal under them. */
  readonly paper: { readonly messages: Messages; readonly seal: SealInstrument }
}

/** The register of mandates. Without a company register, and outside of the demonstration, there are no companies in it. */
export async function openProxies({ foundation, audit, assurance, register, paper: { messages, seal } }: OpenProxiesDependencies): Promise<Proxies> {
  const { config, db, clock, keyring, outbox, jobs, documents } = foundation
  const file = config.proxies.companyRegisterFile ?? (config.demo.enabled ? DEMO_COMPANIES : undefined)
  const proxies = createProxies({
    platform: { db, clock, keyring },
    audit,
    assurance,
    ports: {
      register,
      companies: file === undefined ? companyRegisterOf([]) : await openCompanyRegisterFile(file),
      notify: createNotify({ outbox, messages, publicUrl: config.platform.publicUrl }),
      sealInstrument: seal,
      endRepresentationTokens: async (tx, mandateId) => {
        await endRepresentations(tx, mandateId, clock.now())
        await jobs.send(REVIEW_REPRESENTATIONS_JOB, { mandateId }, { tx })
      },
    },
    paper: { documents, texts: messages, publicUrl: config.platform.publicUrl },
  })
  jobs.schedule('proxies-sweep', '*/5 * * * *', async () => {
    await proxies.lifecycle.sweep()
    await proxies.acts.sweep()
  })
  jobs.schedule('proxies-parties', '37 4 * * *', async () => void (await proxies.lifecycle.refreshParties()))
  return proxies
}
