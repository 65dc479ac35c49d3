import type { Situation } from '../../accounts/index.ts'
import type { Attendance, Reason } from '../attendance/attendance.ts'
import type { KnownHere } from '../attendance/attendance.store.ts'
import type { RequestKind } from './request.ts'

/** What may be missing before a case can be checked; names are keys of the pages' texts. */
export const MISSING = ['document', 'document-front', 'face', 'consent', 'fingers', 'request'] as const
export type Missing = (typeof MISSING)[number]

/** What one reason asks for and which people it is for. All go through the one table of states, and a second pair of eyes. */
export interface CaseType {
  readonly evidence: readonly Missing[]
  /**
   * `enrols` = the face becomes the person's reference; `proves` = it must be the reference's, and is forgotten with the case; `none` = the
   * person is not there, or their reference is what the case is about.
   */
  readonly face: 'enrols' | 'proves' | 'none'
  /** `kept-ways` is the citizen's own to say, on their screen, once the face was found to be theirs; the others the attendant writes down. */
  readonly request?: RequestKind
  /** States of the CPF in the base register that it is open to. */
  readonly situations: readonly Situation[]
  /** Whether the person and their account stand as the reason says. */
  readonly fits: (known: KnownHere) => boolean
}

const ENROLS = { evidence: ['document', 'document-front', 'face', 'consent', 'fingers'], face: 'enrols', situations: ['regular'], fits: () => true } as const
const PROVES = { evidence: ['consent', 'document', 'document-front', 'face'], face: 'proves', situations: ['regular'] } as const

/** The one table of what people come for. */
export const CASE_TYPES: Readonly<Record<Reason, CaseType>> = {
  enrolment: ENROLS,
  're-enrolment': ENROLS,
  'name-change': ENROLS,
  'social-name': { ...ENROLS, evidence: [...ENROLS.evidence, 'request'], request: 'social-name' },
  'lost-phone': { ...PROVES, evidence: [...PROVES.evidence, 'request'], request: 'lost-phone', fits: ({ status }) => status === 'active' },
  'blocked-account': { ...PROVES, request: 'kept-ways', fits: ({ status, statusReason }) => status === 'suspended' && statusReason === 'not-me' },
  death: { evidence: ['document', 'document-front'], face: 'none', situations: ['regular', 'pending', 'suspended', 'deceased'], fits: ({ isDeathNoted }) => !isDeathNoted },
  'death-correction': { ...PROVES, situations: ['regular', 'pending', 'deceased'], fits: ({ isDeathNoted }) => isDeathNoted },
  'wrong-person': {
    evidence: ['document', 'document-front', 'request'], face: 'none', request: 'wrong-person', situations: ['regular', 'pending', 'suspended'], fits: ({ hasImages }) => hasImages,
  },
}

/** Whether the citizen has to say on their own screen what stays, and has not said it. */
export function owesWays({ reason, facts }: Pick<Attendance, 'reason' | 'facts'>): boolean {
  return CASE_TYPES[reason].request === 'kept-ways' && facts.reveal().request === undefined
}

/** The document of a death is its certificate, and of nothing else. */
export function isFitDocument(reason: Reason, type: string): boolean {
  return (reason === 'death') === (type === 'death-certificate')
}
