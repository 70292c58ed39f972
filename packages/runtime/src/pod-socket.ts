import { createHash } from 'node:crypto';

/**
 * The name under which a pod that listens on this TCP port is reached from its own machine: a Unix socket in Linux's
 * abstract name space, which leaves no file behind. Half the work of the kernel for the same bytes over loopback. Who
 * does not have the pod's key cannot tell the name before the pod has taken it. Null where there are no such names.
 */
export function podSocketName(key: string, port: number): string | null {
  if (process.platform !== 'linux') return null;
  const digest = createHash('sha256').update(`${key} ${port}`).digest('base64url');
  return `\0pademelon-pod-${digest}`;
}
