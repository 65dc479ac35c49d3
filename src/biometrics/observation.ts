/** What the engine saw in one frame: the only thing that liveness, quality and match decisions are made from. */
import type { FaceMeasures } from './quality/measures.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

/** Box in pixels of the frame. */
export interface FaceBox {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Mean colour, 0–255 for each channel. */
export interface Colour {
  readonly red: number
  readonly green: number
  readonly blue: number
}

/** Degrees; yaw > 0 when the person turns to their own left, pitch > 0 when they look up, roll > 0 clockwise in the picture. */
export interface Pose {
  readonly yawDegrees: number
  readonly pitchDegrees: number
  readonly rollDegrees: number
}

export interface FaceObservation {
  readonly box: FaceBox
  /** Detector's confidence, 0–1. */
  readonly score: number
  /** The 68 landmarks in pixels of the frame, iBUG 300-W order. */
  readonly landmarks: readonly Point[]
  readonly pose: Pose
  /** Mean colour of cheeks and nose. */
  readonly skin: Colour
  /** Mean luma of the face, 0–255, and left against right half: 0 = even, 1 = one half black. */
  readonly brightness: number
  readonly unevenness: number
  /** Variance of the Laplacian inside the face, in the upright square that the recogniser sees (150 px for the built-in nets). */
  readonly sharpness: number
  /**
   * Descriptor of the model named in `FrameObservation.modelId`, from an upright crop; averaged with its mirror image's when the face is frontal
   * (yaw below 10°) or the picture a photograph. Absent when not asked for.
   */
  readonly descriptor?: readonly number[]
  /** What quality is judged by; observations without it are judged by the rest. */
  readonly measures?: FaceMeasures
  /** Probability of a live face by the PAD nets, 0–1; absent without the nets. */
  readonly padScore?: number
}

export interface FrameObservation {
  readonly modelId: string
  readonly width: number
  readonly height: number
  /** Largest first. */
  readonly faces: readonly FaceObservation[]
  /** Mean colour of the frame outside the face and its surroundings. */
  readonly background: Colour
  /** 64-bit difference hash of the whole frame, 16 hex digits. */
  readonly perceptualHash: string
  /** Pixel noise print for frozen-frame detection: SHA-256 hex of the decoded grey image averaged to 64×48, every fourth row. */
  readonly pixelDigest: string
}
