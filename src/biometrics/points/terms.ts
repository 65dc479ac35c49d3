import type { Term } from '../../platform/retention/term.ts'
import { endedHolds } from '../images/custody/custody.store.ts'
import { countedBeats, pointOperators, readManifests } from './retention.store.ts'

const FIVE_YEARS = 1826
const PROOF = 'LGPD art. 7º, VI, e art. 16, I; Decreto 20.910/1932, art. 1º (prescrição em cinco anos)'

/** What capture points and custody keep beside the images, and for how long; images go by the policy of `imagens prazos`. */
export const biometricsTerms: readonly Term[] = [
  {
    key: 'capture-manifest', tables: ['capture_batch'], ending: 'blanked', isHeld: true, days: 365, leastDays: 90, sweep: readManifests,
    what: 'Lista assinada de um lote capturado sem rede, que traz CPFs (número, resumo e horas do lote ficam)', from: 'recebimento',
    purpose: 'Conferir o lote com quem o mandou', ground: 'LGPD art. 7º, III, e art. 23 (execução de serviço público)',
  },
  {
    key: 'capture-operator', tables: ['capture_process'], ending: 'blanked', isHeld: true, days: FIVE_YEARS, sweep: pointOperators,
    what: 'Quem operou um ponto de captura numa coleta (a coleta fica no diário que se cobra)', from: 'fim da coleta',
    purpose: 'Apurar fraudes de captura', ground: PROOF,
  },
  {
    key: 'heart-beat', tables: [], ending: 'deleted', isHeld: false, days: 730, sweep: countedBeats,
    what: 'Sinais de vida de um ponto de captura, de meses com extrato fechado', from: 'sinal',
    purpose: 'Medir a disponibilidade contratada', ground: 'Não é dado pessoal; o extrato guarda o resultado',
  },
  {
    key: 'legal-hold', tables: ['image_hold'], ending: 'deleted', isHeld: true, days: FIVE_YEARS, sweep: endedHolds,
    what: 'Motivo de uma guarda legal que terminou', from: 'fim da guarda', purpose: 'Provar por que algo não foi apagado', ground: PROOF,
  },
]
