export {
  type CalibrationCheck,
  checkCalibration,
  measuredCalibrationError,
  type Probabilities,
  spiegelhalterZ,
} from './calibration-error.js';
export {
  applyCalibration,
  calibratedLogOdds,
  type Calibration,
  chooseCalibration,
  fitIsotonic,
} from './calibration-map.js';
export { type IsotonicBlock, isotonicBlocks } from './isotonic.js';
