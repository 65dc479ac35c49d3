/**
 * What was measured of one face in one picture: plain numbers, made where the pixels are and judged where they are not.
 *
 * Names are those of the quality components of ISO/IEC 29794-5 (OFIQ); the methods are our own, so a number here is not OFIQ's number.
 */
export interface FaceMeasures {
  /** Degrees, as in `Pose`: signed. */
  readonly headPoseYaw: number
  readonly headPosePitch: number
  readonly headPoseRoll: number
  /** Pixels between the centres of the eyes. */
  readonly interEyeDistance: number
  /** Width of the detector's box in pixels, and as a share of the picture's shorter side. */
  readonly faceWidth: number
  readonly faceShare: number
  /** From the middle of the eyes to the chin, as a share of the picture's height. */
  readonly headSize: number
  /** From the middle of the face to the picture's left and right edge, in distances between the eyes. */
  readonly leftwardCrop: number
  readonly rightwardCrop: number
  /** From the middle of the eyes to the upper edge, and from the chin to the lower edge, in lengths from the eyes to the chin. */
  readonly marginAbove: number
  readonly marginBelow: number
  /** Distance of the face's centre from the picture's, as a share of the shorter side. */
  readonly offCentre: number
  /** Mean luma of the face, 0–255. */
  readonly luminanceMean: number
  /** Mean luma of the darker half of the face by that of the lighter half: 1 = even. */
  readonly illuminationUniformity: number
  /** Shares of the face's pixels that are nearly black, and nearly white. */
  readonly underExposure: number
  readonly overExposure: number
  /** Levels of luma between the darkest and the lightest twentieth of the face. */
  readonly dynamicRange: number
  /** Variance of the Laplacian of the face at a width of 128 px. */
  readonly sharpness: number
  /** Distance of the skin's colour from what skin looks like under white light, in CIELAB units. */
  readonly naturalColour: number
  /** Share of the places under the eye, the freer of the two, that do not look like this person's skin: dark glasses reach there. */
  readonly eyesOcclusion: number
  /** How far the colour of lip, mouth and chin, the nearest of them, is from the skin's between the brows: logarithm of ratios. */
  readonly mouthOcclusion: number
  /** Share of the middle of the face that does not look like skin; eyes, nostrils and lips never do. */
  readonly faceOcclusion: number
  /** Share of the background that is an edge; absent where the picture shows too little of it. */
  readonly backgroundUniformity?: number
  /** Steps of luma at the borders of JPEG's blocks by the steps beside them: 1 = none to be seen. */
  readonly compressionArtifacts: number
}
