import type { Term } from '../platform/retention/term.ts'
import { endedOrigins, endedRequests, endedServants, officialsOfSteps, officialsOfUses, oldUses } from './retention.store.ts'

/** Five years with their leap days: the limit of claims by and against the State. */
const FIVE_YEARS = 1826
const PROOF = 'LGPD art. 7º, VI, e art. 16, I; Decreto 20.910/1932, art. 1º (prescrição em cinco anos)'

/** What the register of proxies keeps of requests and uses that are over, and for how long; mandates themselves stay on the register. */
export const proxiesTerms: readonly Term[] = [
  {
    key: 'proxy-request', tables: [], ending: 'deleted', isHeld: true, days: 365, leastDays: 90, sweep: endedRequests,
    what: 'Pedido de procuração que foi aceito, recusado, retirado ou venceu', from: 'decisão',
    purpose: 'Mostrar a ambos o que foi pedido e limitar insistências', ground: 'LGPD art. 7º, III, e art. 23 (execução de serviço público)',
  },
  {
    key: 'mandate-use', tables: ['mandate_use'], ending: 'deleted', isHeld: true, days: FIVE_YEARS, sweep: oldUses,
    what: 'Cada uso de uma procuração (quem agiu por quem, em que sistema, quando)', from: 'uso, ou fim da procuração se for depois',
    purpose: 'Provar quem agiu em nome de quem', ground: PROOF,
  },
  {
    key: 'mandate-use-official', tables: ['mandate_use'], ending: 'blanked', isHeld: true, days: FIVE_YEARS, sweep: officialsOfUses,
    what: 'Nome do servidor que usou um poder de órgão', from: 'uso', purpose: 'Apurar abusos', ground: PROOF,
  },
  {
    key: 'mandate-authority', tables: ['mandate_authority_step'], ending: 'deleted', isHeld: true, days: FIVE_YEARS, sweep: officialsOfSteps,
    what: 'Servidor que pôs, suspendeu ou encerrou uma representação legal por ordem de autoridade', from: 'fim da representação',
    purpose: 'Apurar abusos', ground: PROOF,
  },
  {
    key: 'mandate-origin', tables: ['mandate'], ending: 'blanked', isHeld: true, days: FIVE_YEARS, sweep: endedOrigins,
    what: 'Ato selado em que se apoia uma representação legal (número do processo, motivo)', from: 'fim da representação',
    purpose: 'Provar a origem da representação', ground: PROOF,
  },
  {
    key: 'servant', tables: ['proxy_servant'], ending: 'deleted', isHeld: true, days: FIVE_YEARS, sweep: endedServants,
    what: 'Cargo e matrícula de quem um órgão deixou assinar como servidor', from: 'fim da permissão', purpose: 'Provar em que cargo alguém assinou', ground: PROOF,
  },
]
