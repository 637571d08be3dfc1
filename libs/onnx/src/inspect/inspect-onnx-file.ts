import { checkGrowth } from './check-growth.js';
import { checkOperators } from './check-operators.js';
import { checkTensors } from './check-tensors.js';
import { checkTrees } from './check-trees.js';
import { type OnnxFile } from './onnx-file.js';
import { readOnnxFile } from './read-onnx-file.js';

/**
 * Reads a model file made elsewhere and checks what can be checked without running it: no runtime sees a file before. The time it
 * takes is proportional to the file.
 *
 * @throws ModelRefused naming the check that failed
 */
export function inspectOnnxFile(bytes: Uint8Array): OnnxFile {
  const file = readOnnxFile(bytes);
  checkOperators(file);
  checkTensors(file);
  checkGrowth(file);
  checkTrees(file);
  return file;
}
