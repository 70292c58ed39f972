/** How the process of a Python step is started, as often as it is needed. */
export interface StepLaunch {
  readonly command: string;
  readonly args: readonly string[];
  /** File with the seccomp program, to be opened as descriptor 3; null without a jail. */
  readonly seccompFile: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly workingFolder: string;
}

/** A Python step as a host hands it to its pod. */
export interface PythonProgram {
  readonly launch: StepLaunch;
  readonly limits: {
    /** Of the process and all its children together. */
    readonly memoryBytes: number;
    readonly processes: number;
    /** Milliseconds that loading the script may take. */
    readonly loadDeadlineMs: number;
  };
}
