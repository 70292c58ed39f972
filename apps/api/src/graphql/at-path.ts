/** The part of a JSON value that a dotted path names: `arch`, `$.config.model_path`. The value itself without a path. */
export function atPath(value: unknown, path: string | null | undefined): unknown {
  if (path == null || path === '' || path === '$') return value;
  return path
    .replace(/^\$?\.?/, '')
    .split('.')
    .reduce<unknown>((part, key) => (isRecord(part) && Object.hasOwn(part, key) ? part[key] : null), value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
