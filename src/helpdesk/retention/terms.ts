import type { Term } from '../../platform/retention/term.ts'
import { approvedCases, comparedSamples, decidedReviews, endedCases, fraudCases, pairedScreens, peopleOfNoCase, receiptLinks, signedHelps } from './case-sweeps.store.ts'
import { endedKiosks, lookCounts, pastAppointments, pastTickets, supportCases, surveyLinks, surveySentences } from './line-sweeps.store.ts'

/** Five years with their leap days: claims by and against the State lapse then (Decreto 20.910/1932, art. 1º; Lei 9.873/1999, art. 1º). */
const FIVE_YEARS = 1826
const SERVICE = 'LGPD art. 7º, III, e art. 23 (execução de serviço público)'
const PROOF = 'LGPD art. 7º, VI, e art. 16, I; Decreto 20.910/1932, art. 1º (prescrição em cinco anos)'
const SAFETY = 'LGPD art. 11, II, "g" (prevenção à fraude e segurança do titular)'
const NO_MORE_NEED = 'LGPD art. 15, I, e art. 16 (finalidade alcançada)'

const CASES: readonly Term[] = [
  {
    key: 'case-approved', tables: ['attendance', 'attendance_item'], ending: 'blanked', isHeld: true, days: FIVE_YEARS, sweep: approvedCases,
    what: 'Dados selados de um atendimento aprovado (o que a base disse, o pedido, o documento visto)', from: 'aprovação',
    purpose: 'Provar em que se apoiou a identidade dada no balcão', ground: PROOF,
  },
  {
    key: 'case-ended', tables: ['attendance', 'attendance_item'], ending: 'blanked', isHeld: true, days: 90, leastDays: 30, sweep: endedCases,
    what: 'Dados selados de um atendimento recusado, abandonado ou vencido (as imagens já somem no fim do atendimento)', from: 'fim do atendimento',
    purpose: 'Responder à reclamação de quem foi atendido', ground: SERVICE,
  },
  {
    key: 'case-fraud', tables: ['attendance', 'attendance_item'], ending: 'blanked', isHeld: true, days: 730, sweep: fraudCases,
    what: 'Dados e capturas de um atendimento recusado por fraude confirmada', from: 'decisão da suspeita',
    purpose: 'Apurar a fraude e atender a autoridade policial', ground: SAFETY,
  },
  {
    key: 'fraud-review', tables: ['fraud_review'], ending: 'anonymised', isHeld: true, days: 730, sweep: decidedReviews,
    what: 'De quem é o outro lado de uma suspeita decidida, e quanto os rostos se parecem', from: 'decisão da suspeita',
    purpose: 'Apurar a fraude; impedir que quem a julgou aprove a mesma pessoa', ground: SAFETY,
  },
  {
    key: 'second-look', tables: ['approval_sample'], ending: 'blanked', isHeld: true, days: 180, sweep: comparedSamples,
    what: 'O que o aprovador comparou, nas aprovações sorteadas para um segundo olhar que ninguém deu', from: 'sorteio',
    purpose: 'Conferir a qualidade das aprovações', ground: SERVICE,
  },
  {
    key: 'consent-screen', tables: ['attendance_consent'], ending: 'blanked', isHeld: false, days: 1, sweep: pairedScreens,
    what: 'Endereço, código e segredo da segunda tela do atendimento (a resposta e o resumo do texto lido ficam)', from: 'fim do atendimento',
    purpose: 'Ligar a tela do cidadão ao seu atendimento', ground: NO_MORE_NEED,
  },
  {
    key: 'receipt-link', tables: [], ending: 'deleted', isHeld: false, days: 90, leastDays: 8, sweep: receiptLinks,
    what: 'A quem e quando se mandou o comprovante por endereço de uso único', from: 'envio',
    purpose: 'Limitar envios e responder a quem não o recebeu', ground: SERVICE,
  },
  {
    key: 'help-today', tables: ['counter_help'], ending: 'blanked', isHeld: true, days: FIVE_YEARS, sweep: signedHelps,
    what: 'Texto lido e assinatura da ajuda de hoje no balcão (os resumos criptográficos ficam)', from: 'assinatura',
    purpose: 'Provar que a pessoa pediu ajuda', ground: PROOF,
  },
  {
    key: 'person-unknown', tables: ['person'], ending: 'deleted', isHeld: true, days: 90, leastDays: 30, sweep: peopleOfNoCase,
    what: 'Pessoa que só o balcão anotou e de quem nada foi aceito: CPF digitado por engano, atendimento sem fim', from: 'fim do último atendimento, e nunca antes de acabar o prazo dos dados dele',
    purpose: 'Voltar ao balcão; responder à reclamação de quem foi atendido, ou consultado sem o ser', ground: NO_MORE_NEED,
  },
]

const LINE: readonly Term[] = [
  {
    // Who did support within 30 days before a case is kept from it: from its approval, and for 180 days more from a second look at that.
    key: 'support-case', tables: ['helpdesk_support_case'], ending: 'deleted', isHeld: true, days: 365, leastDays: 240, sweep: supportCases,
    what: 'Atendimento a distância: quem olhou qual conta, o motivo escrito e o que fez', from: 'abertura',
    purpose: 'Apurar reclamações; impedir que quem deu suporte aprove a pessoa', ground: SERVICE,
  },
  {
    key: 'support-look', tables: [], ending: 'deleted', isHeld: false, days: 2, sweep: lookCounts,
    what: 'Contagem de consultas de um atendente por hora e por dia', from: 'começo da hora ou do dia',
    purpose: 'Limitar consultas', ground: NO_MORE_NEED,
  },
  {
    key: 'survey-link', tables: ['helpdesk_survey'], ending: 'deleted', isHeld: false, days: 30, leastDays: 1, sweep: surveyLinks,
    what: 'Endereço de uso único da pesquisa de satisfação, e de que atendimento veio', from: 'vencimento do endereço',
    purpose: 'Uma resposta por atendimento', ground: NO_MORE_NEED,
  },
  {
    key: 'survey-sentence', tables: ['helpdesk_survey_answer'], ending: 'blanked', isHeld: false, days: 365, leastDays: 30, sweep: surveySentences,
    what: 'Frase da pesquisa de satisfação (a nota fica, por unidade e dia)', from: 'dia da resposta',
    purpose: 'Melhorar o serviço (Lei 13.460/2017, art. 23)', ground: SERVICE,
  },
  {
    key: 'appointment', tables: [], ending: 'anonymised', isHeld: true, days: 180, leastDays: 60, sweep: pastAppointments,
    what: 'De quem era uma hora marcada que passou, com o assunto dito de casa', from: 'fim da hora marcada',
    purpose: 'Atender com hora e limitar marcações', ground: SERVICE,
  },
  {
    key: 'ticket', tables: [], ending: 'anonymised', isHeld: false, days: 365, leastDays: 90, sweep: pastTickets,
    what: 'Quem atendeu uma senha da fila (número, fila e tempos ficam)', from: 'dia da senha',
    purpose: 'Gerir a unidade', ground: SERVICE,
  },
  {
    key: 'kiosk', tables: ['helpdesk_kiosk'], ending: 'deleted', isHeld: false, days: 365, leastDays: 1, sweep: endedKiosks,
    what: 'Aparelho de cidadãos que saiu de uso: nome e segredo', from: 'saída de uso',
    purpose: 'Saber em que aparelho alguém entrou', ground: SERVICE,
  },
]

/** What the counter keeps of people, and for how long. */
export const helpdeskTerms: readonly Term[] = [...CASES, ...LINE]
