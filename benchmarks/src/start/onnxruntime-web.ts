// From nothing to the first result, onnxruntime-web.

import { first } from './onnx.ts';

await first('onnxruntime-web');
