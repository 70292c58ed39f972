/** An object of the one key, or of none when there is no value: for optional keys, which must not be undefined. */
export function given<Key extends string, Value>(key: Key, value: Value | undefined): { [key in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [key in Key]?: Value };
}
