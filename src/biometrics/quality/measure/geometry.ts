import { centreOf } from '../../engine/alignment.ts'
import type { FaceBox, Point, Pose } from '../../observation.ts'
import type { FaceMeasures } from '../measures.ts'

type Geometry = Pick<
  FaceMeasures,
  | 'headPoseYaw'
  | 'headPosePitch'
  | 'headPoseRoll'
  | 'interEyeDistance'
  | 'faceWidth'
  | 'faceShare'
  | 'headSize'
  | 'leftwardCrop'
  | 'rightwardCrop'
  | 'marginAbove'
  | 'marginBelow'
  | 'offCentre'
>

const CHIN = 8

/** Where the face is in its picture, how large, and which way it looks: from landmarks and box alone. */
export function geometryOf(
  { width, height }: { width: number; height: number },
  { box, landmarks, pose }: { box: FaceBox; landmarks: readonly Point[]; pose: Pose },
): Geometry {
  const [left, right] = [centreOf(landmarks.slice(36, 42)), centreOf(landmarks.slice(42, 48))]
  const eyes = centreOf([left, right])
  const chin = landmarks[CHIN] ?? eyes
  const eyeDistance = Math.max(1, Math.hypot(right.x - left.x, right.y - left.y))
  const length = Math.max(1, Math.hypot(chin.x - eyes.x, chin.y - eyes.y))
  const shorter = Math.min(width, height)
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 }
  return {
    headPoseYaw: pose.yawDegrees,
    headPosePitch: pose.pitchDegrees,
    headPoseRoll: pose.rollDegrees,
    interEyeDistance: eyeDistance,
    faceWidth: box.width,
    faceShare: box.width / shorter,
    headSize: length / height,
    leftwardCrop: eyes.x / eyeDistance,
    rightwardCrop: (width - eyes.x) / eyeDistance,
    marginAbove: eyes.y / length,
    marginBelow: (height - chin.y) / length,
    offCentre: Math.hypot(middle.x - width / 2, middle.y - height / 2) / shorter,
  }
}
