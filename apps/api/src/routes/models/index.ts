import type { Services } from '../../services.ts';
import type { Api } from '../api.ts';
import { refuseConversions } from './convert.ts';
import { getModel } from './get.ts';
import { getModelById } from './get-by-id.ts';
import { getModelConfigById } from './get-config-by-id.ts';
import { getUploadLogs } from './get-upload-logs.ts';
import { getModelVersionById } from './get-version-by-id.ts';
import { insertModelConfig } from './insert-model-config.ts';
import { listModels } from './list.ts';
import { listModelVersions } from './list-versions.ts';
import { uploadAndConvertModel, uploadModel } from './upload.ts';
import { uploadModelStream } from './upload-stream.ts';

export function modelRoutes(app: Api, services: Services): void {
  uploadModel(app, services);
  uploadAndConvertModel(app, services);
  uploadModelStream(app, services);
  refuseConversions(app);
  listModels(app, services);
  getModel(app, services);
  getModelById(app, services);
  listModelVersions(app, services);
  getModelVersionById(app, services);
  getModelConfigById(app, services);
  insertModelConfig(app, services);
  getUploadLogs(app, services);
}
