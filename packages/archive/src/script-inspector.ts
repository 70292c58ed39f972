import type { ScriptInspector } from '@pademelon/domain';
import { openPythonScript } from './python-script.ts';
import { readRequirements } from './requirements.ts';

/** What is told of a script at its upload; whether it can be loaded is found out when it is packaged. */
export const scriptInspector: ScriptInspector = {
  inspect: async (file, fileName, requirements) => {
    const script = await openPythonScript(file, fileName);
    readRequirements([script.requirements, ...requirements].join('\n'));
  },
};
