export { type FairnessSlice, type Gate, GATE_NAMES, type GateName } from '@sextant/artefacts';
