import { type FileHandle, open } from 'node:fs/promises';
import type { ModelInspection, ModelInspector, ModelVerdict } from '@pademelon/domain';
import { checkOperators } from './check-operators.ts';
import { checkInputs, checkOutputs } from './check-ports.ts';
import { FileWindow } from './file-window.ts';
import { foreignFormat } from './foreign-format.ts';
import { limits, newestIrVersion } from './limits.ts';
import { newModelFacts } from './model-facts.ts';
import { ModelRejection, reject } from './model-rejection.ts';
import { modelMessage } from './onnx-messages.ts';
import { walkMessage } from './walk-message.ts';

/**
 * Judges a file before any runtime opens it: reads its structure, never its weights, and refuses what is no ONNX model,
 * what reaches for other files, what no runtime here can run and what is large beyond reason. Rejects its promise only
 * when the file cannot be read.
 *
 * It does not promise that the model loads or ends: that shows in the pod, which can be killed.
 */
export async function inspectModel(path: string): Promise<ModelVerdict> {
  const file = await open(path, 'r');
  try {
    return { isAccepted: true, inspection: await inspect(file) };
  } catch (error) {
    if (!(error instanceof ModelRejection)) throw error;
    return { isAccepted: false, reason: error.message };
  } finally {
    await file.close();
  }
}

export const onnxModelInspector: ModelInspector = { inspect: inspectModel };

async function inspect(file: FileHandle): Promise<ModelInspection> {
  const { size } = await file.stat();
  if (size === 0) reject('The file is empty.');
  if (size > limits.fileBytes) reject('The file is larger than the 2 GB that an ONNX model can have.');
  const head = await file.read(Buffer.alloc(16), 0, 16, 0);
  const foreign = foreignFormat(head.buffer.subarray(0, head.bytesRead));
  if (foreign !== null) reject(`The file is not an ONNX model: it is ${foreign}.`);

  const model = newModelFacts();
  await walkMessage(new FileWindow(file, size), modelMessage, model);
  if (!model.hasGraph || model.irVersion === 0) reject('The file is not an ONNX model: it has no graph.');
  if (model.irVersion < 1 || model.irVersion > newestIrVersion) {
    reject(
      `The model is of ONNX's IR version ${model.irVersion}; the newest supported one is ${newestIrVersion}. Export it with an older version of onnx.`,
    );
  }
  if (model.opsets.size === 0) {
    reject('The model does not say which operator sets it uses.');
  }
  checkOperators(model);
  return {
    signature: { inputs: checkInputs(model), outputs: checkOutputs(model) },
    opsets: Object.fromEntries(model.opsets),
    irVersion: model.irVersion,
    nodeCount: model.nodeCount,
  };
}
