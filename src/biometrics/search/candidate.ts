/** Why a pair was judged as it was; codes, because free words about people do not belong beside ids. */
export const CONFIRM_REASONS = ['same-person', 'swapped-image'] as const
export const DISMISS_REASONS = ['twins', 'lookalike', 'bad-image'] as const
export const CANDIDATE_REASONS = [...CONFIRM_REASONS, ...DISMISS_REASONS] as const
export type CandidateReason = (typeof CANDIDATE_REASONS)[number]

export const CANDIDATE_STATES = ['pending', 'confirmed', 'dismissed'] as const
export type CandidateState = (typeof CANDIDATE_STATES)[number]

/** Two people whose faces are nearer than chance explains, for people to judge. */
export interface FaceCandidate {
  readonly id: string
  readonly leftPersonId: string
  readonly rightPersonId: string
  readonly leftImageId: string
  readonly rightImageId: string
  readonly modelId: string
  /** Euclidean, of the templates as they are searched; see `toScore`. */
  readonly distance: number
  readonly threshold: number
  readonly origin: 'enrolment' | 'sweep'
  readonly state: CandidateState
  readonly reason: CandidateReason | undefined
  readonly createdAt: Date
  readonly decidedAt: Date | undefined
  readonly decidedBy: string | undefined
}

/** A face that is near to one that was asked about. */
export interface NearFace {
  readonly personId: string
  readonly imageId: string
  /** Frames behind its template. */
  readonly k: number
  readonly distance: number
}
