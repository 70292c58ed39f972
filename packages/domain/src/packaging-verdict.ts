/** How the packaging of something that was uploaded ended, and what its uploader is told. */
export interface PackagingVerdict {
  readonly status: 'ready' | 'error';
  /** Why it is in error, a sentence; null when it is ready. */
  readonly reason: string | null;
  readonly buildLog: string;
}
