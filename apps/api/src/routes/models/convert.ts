import { DomainError } from '@pademelon/domain';
import type { Api } from '../api.ts';

/** What `convert_model` of the 2023 SDK takes, and a package that exports it. */
const exporters = { keras: 'tf2onnx', sklearn: 'skl2onnx', xgboost: 'onnxmltools' };

/**
 * That call of the 2023 SDK is only told what to do instead. Nobody reads the body: Node drops what comes of it once the
 * answer is out, and the SDK, which sends all of it first, still gets to read the answer.
 */
export function refuseConversions(app: Api): void {
  for (const [framework, exporter] of Object.entries(exporters)) {
    app.post(
      `/v1/convert/${framework}`,
      { config: { isReasonShown: true }, schema: { hide: true } },
      async (): Promise<never> => {
        throw new DomainError(
          'unsupported',
          `Models of the framework "${framework}" are not supported, and none is converted: this platform runs ONNX models and Python scripts. Export the model to ONNX, for example with ${exporter}, and upload the .onnx file with framework "onnx".`,
        );
      },
    );
  }
}
