// From nothing to the first result, onnxruntime-node.

import { first } from './onnx.ts';

await first('onnxruntime-node');
